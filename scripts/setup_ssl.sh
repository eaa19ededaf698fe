#!/usr/bin/env bash
# Gets a certificate from an ACME authority such as Let's Encrypt, puts it where the proxies read it, and renews it.
set -euo pipefail

usage() {
    cat <<'HELP'
Usage: scripts/setup_ssl.sh [OPTIONS] DOMAIN…

Gets one certificate for all DOMAIN… with certbot, whose names must lead to this host's port 80, and puts it into
/etc/ssl/facequeue. certbot's timer renews it from then on, and the proxy takes each new one up.

  --email ADDRESS  where the authority writes to; without it, none is given
  --dry-run        try everything at the authority, and change nothing
  --renew          renew at once, however long the certificate is still good
  --port N         answer the challenge at this port, for HAProxy (8402); without it, nginx answers from --webroot
  --webroot FOLDER where nginx finds the challenge (/var/www/facequeue-acme)
  --out FOLDER     where the certificate goes (/etc/ssl/facequeue)
  --reload COMMAND what makes the proxy read it (systemctl reload nginx, with --port: haproxy)
  --server URL     the ACME directory (Let's Encrypt)
  --state FOLDER   where certbot keeps its accounts and logs (certbot's own places)

Exit codes: 0 done; 1 the authority or certbot refused, or certbot is missing; 2 wrong usage.
HELP
}

wrong_usage() {
    printf '%s\nscripts/setup_ssl.sh --help says more.\n' "$1" >&2
    exit 2
}

fail() {
    printf '%s\n' "$1" >&2
    exit 1
}

# certbot calls this after each issue and renewal, with the certificate's folder in RENEWED_LINEAGE.
install_certificate() {
    local out=$1 reload=$2
    umask 077
    install -d -m 755 "$out"
    install -m 644 "$RENEWED_LINEAGE/fullchain.pem" "$out/.fullchain.pem"
    install -m 600 "$RENEWED_LINEAGE/privkey.pem" "$out/.privkey.pem"
    cat "$out/.fullchain.pem" "$out/.privkey.pem" >"$out/.haproxy.pem"
    local name
    for name in fullchain privkey haproxy; do mv -f "$out/.$name.pem" "$out/$name.pem"; done
    bash -c "$reload"
}

enable_timer() {
    [ -d /run/systemd/system ] && systemctl enable --now certbot.timer && return 0
    echo 'No systemd here: let something run `certbot renew` twice a day.'
}

if [ "${1:-}" = --install ]; then
    install_certificate "$2" "$3"
    exit 0
fi

EMAIL='' DRY='' RENEW='' PORT='' WEBROOT=/var/www/facequeue-acme OUT=/etc/ssl/facequeue RELOAD='' SERVER='' STATE=''
DOMAINS=()
while [ "$#" -gt 0 ]; do
    case $1 in
        -h | --help) usage && exit 0 ;;
        --dry-run) DRY=yes && shift && continue ;;
        --renew) RENEW=yes && shift && continue ;;
        --email | --port | --webroot | --out | --reload | --server | --state)
            [ -n "${2:-}" ] || wrong_usage "$1 needs a value."
            name=${1#--}
            printf -v "${name^^}" '%s' "$2"
            shift 2
            ;;
        -*) wrong_usage "There is no option $1." ;;
        *) DOMAINS+=(--domain "$1") && shift ;;
    esac
done
[ "${#DOMAINS[@]}" -gt 0 ] || wrong_usage 'Say for which domains the certificate is.'
[[ $PORT =~ ^[0-9]*$ ]] || wrong_usage "--port takes a number, not $PORT."
command -v certbot >/dev/null || fail 'certbot is missing: apt-get install certbot'

RELOAD=${RELOAD:-systemctl reload $([ -n "$PORT" ] && echo haproxy || echo nginx)}
SELF=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)/$(basename "${BASH_SOURCE[0]}")
HOOK=$(printf '%q --install %q %q' "$SELF" "$OUT" "$RELOAD")

ARGUMENTS=(certonly --non-interactive --agree-tos --cert-name facequeue --deploy-hook "$HOOK" "${DOMAINS[@]}")
if [ -n "$EMAIL" ]; then ARGUMENTS+=(--email "$EMAIL"); else ARGUMENTS+=(--register-unsafely-without-email); fi
if [ -n "$PORT" ]; then
    ARGUMENTS+=(--standalone --http-01-port "$PORT")
else
    [ -n "$DRY" ] || install -d -m 755 "$WEBROOT" || fail "Cannot make $WEBROOT: run this as root."
    ARGUMENTS+=(--webroot --webroot-path "$WEBROOT")
fi
[ -z "$SERVER" ] || ARGUMENTS+=(--server "$SERVER")
[ -z "$DRY" ] || ARGUMENTS+=(--dry-run)
if [ -n "$RENEW" ]; then ARGUMENTS+=(--force-renewal); else ARGUMENTS+=(--keep-until-expiring); fi
[ -z "$STATE" ] || ARGUMENTS+=(--config-dir "$STATE/config" --work-dir "$STATE/work" --logs-dir "$STATE/logs")

certbot "${ARGUMENTS[@]}" || fail 'certbot got no certificate: what it says above tells why.'
[ -z "$DRY" ] || exit 0
enable_timer
echo "The certificate is in $OUT."
