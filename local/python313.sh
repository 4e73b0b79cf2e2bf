#!/bin/sh
# Prints a Python 3.13 interpreter: python3.13, python3, one of pyenv's or one of uv's. Says what is missing otherwise.
set -u
is_313() { "$1" -c 'import sys; raise SystemExit(sys.version_info[:2] != (3, 13))' >/dev/null 2>&1; }
for candidate in python3.13 python3 python "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13.*/bin/python "$(uv python find 3.13 2>/dev/null)"; do
  if [ -n "$candidate" ] && is_313 "$candidate"; then
    command -v "$candidate"
    exit 0
  fi
done
echo "Python 3.13 is missing. Install it by one of: 'pyenv install 3.13', 'uv python install 3.13', or your system's packages." >&2
exit 1
