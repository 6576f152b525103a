"""Catalogues of controls: each file exports CONTROLS; other wheels add theirs."""
