#!/usr/bin/env bash
# Makes a certificate that no authority signed, for trials and so that a proxy can start before it has a real one.
set -euo pipefail

usage() {
    cat <<'HELP'
Usage: scripts/self_signed.sh [--out FOLDER] [--days N] [--force] NAME…

Makes a certificate for the host names and IP addresses NAME…, signed by itself: clients must be told to trust it.
For one that they trust anyway, use scripts/setup_ssl.sh.

  --out FOLDER  where it goes (/etc/ssl/facequeue): fullchain.pem, privkey.pem, and both in haproxy.pem
  --days N      how long it is good for (90)
  --force       replace a certificate that is there

Exit codes: 0 made; 1 it could not be made, or one is there; 2 wrong usage.
HELP
}

wrong_usage() {
    printf '%s\nscripts/self_signed.sh --help says more.\n' "$1" >&2
    exit 2
}

fail() {
    printf '%s\n' "$1" >&2
    exit 1
}

# How a certificate names it; nothing for what is neither a host's name nor an address.
alternative_name() {
    local label='[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?'
    if [[ $1 =~ ^[0-9.]+$ || $1 == *:* ]]; then
        printf 'IP:%s' "$1"
    elif [[ $1 =~ ^(\*\.)?($label\.)*$label$ ]]; then
        printf 'DNS:%s' "$1"
    fi
}

make_certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days "$DAYS" -config /dev/stdin \
        -keyout "$OUT/.new/privkey.pem" -out "$OUT/.new/fullchain.pem" <<CONFIG
[req]
prompt = no
distinguished_name = name
x509_extensions = server
[name]
CN = FaceQueue, self-signed
[server]
subjectAltName = $1
subjectKeyIdentifier = hash
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
CONFIG
}

OUT=/etc/ssl/facequeue DAYS=90 FORCE='' NAMES=''
while [ "$#" -gt 0 ]; do
    case $1 in
        -h | --help) usage && exit 0 ;;
        --out | --days) [ -n "${2:-}" ] || wrong_usage "$1 needs a value." ;;&
        --out) OUT=$2 && shift ;;
        --days) DAYS=$2 && shift ;;
        --force) FORCE=yes ;;
        -*) wrong_usage "There is no option $1." ;;
        *)
            name=$(alternative_name "$1")
            [ -n "$name" ] || wrong_usage "$1 is neither a host's name nor an IP address."
            NAMES+="${NAMES:+,}$name"
            ;;
    esac
    shift
done
[ -n "$NAMES" ] || wrong_usage 'Say for which host names or addresses the certificate is.'
[[ $DAYS =~ ^[1-9][0-9]*$ ]] || wrong_usage "--days takes a number of days, not $DAYS."
command -v openssl >/dev/null || fail 'openssl is missing: apt-get install openssl'
if [ -e "$OUT/privkey.pem" ] && [ -z "$FORCE" ]; then
    fail "$OUT has a certificate already; --force replaces it."
fi

umask 077 # the key is for its owner alone
if ! { [ -d "$OUT" ] || install -d -m 755 "$OUT"; } || ! mkdir -p "$OUT/.new"; then
    fail "Cannot write to $OUT: run this as root, or name another folder with --out."
fi
trap 'rm -rf "$OUT/.new"' EXIT
said=$(make_certificate "$NAMES" 2>&1) || fail "openssl failed: $said"
cat "$OUT/.new/fullchain.pem" "$OUT/.new/privkey.pem" >"$OUT/.new/haproxy.pem"
chmod 644 "$OUT/.new/fullchain.pem"
mv -f "$OUT"/.new/*.pem "$OUT/"
echo "Made for $DAYS days: $OUT/fullchain.pem, its key $OUT/privkey.pem, and both in $OUT/haproxy.pem"
