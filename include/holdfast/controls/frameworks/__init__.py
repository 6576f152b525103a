"""Catalogues of controls: each file exports CONTENT, DIGEST, CONTROLS; other wheels add theirs."""
