"""HAProxy's configuration: what customers reach, in front of two API processes."""

from shop.settled import HOST, Settled

# A request is sent to the other API after this long without an answer. That is safe because every
# write carries a key and happens once. The load counts on it too: see `shop.load.outcome`.
ANSWER_WITHIN_MS = 1200


def configuration(shop: Settled) -> str:
    """Write haproxy.cfg.

    No `empty-response` among the reasons to try again: an API that dies in the middle of a request
    may have written, and a refusal by the other one would then look like "not written".
    """
    look = "check inter 500ms fastinter 200ms fall 2 rise 1" if shop.has("health-check") else ""
    servers = "\n".join(
        f"    server {name} {HOST}:{shop.ports[name]}" for name in ("api-1", "api-2")
    )
    socket = shop.places.socket.relative_to(shop.places.shop)
    return f"""\
global
    maxconn 512
    nbthread 1
    # By its path from the working folder: a UNIX socket's whole path may have 108 letters at most.
    stats socket unix@{socket} mode 600 level admin
    stats timeout 5s

defaults
    mode http
    maxconn 500
    timeout connect 500ms
    timeout client 30s
    timeout server {ANSWER_WITHIN_MS}ms
    timeout check 400ms
    timeout queue 500ms
    timeout http-keep-alive 60s
    retries 2
    option redispatch 1

frontend front
    bind {HOST}:{shop.ports["front"]}
    bind {HOST}:{shop.ports["front-tls"]} ssl crt "{shop.places.certificate}" ssl-min-ver TLSv1.2
    default_backend api

backend api
    balance roundrobin
    option httpchk GET /health
    retry-on conn-failure response-timeout
    default-server {look}
{servers}

frontend figures
    bind {HOST}:{shop.ports["haproxy"]}
    http-request use-service prometheus-exporter if {{ path /metrics }}
    http-request return status 404
"""
