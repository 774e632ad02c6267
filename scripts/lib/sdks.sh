# shellcheck shell=bash
# The official SDKs, unchanged, and what stands beside them in the journeys (a Standard Webhooks library, a mail server), at the
# versions that tests/sdk pins, in the ignored cache folder. Sourced after common.sh.
# Each cache keeps a copy of the pins that it was made from; while they are the same, nothing is installed again.

# Exports TOLLGATE_TEST_NODE_MODULES: the node_modules folder with the Node SDK and the Standard Webhooks library.
node_sdk_install() {
  command -v node >/dev/null || apt_install 'Node.js' nodejs
  local pins=$repo/tests/sdk/node dir=$cache/node
  if ! cmp -s "$pins/package-lock.json" "$dir/installed-pins"; then
    command -v npm >/dev/null || apt_install 'npm' npm
    say 'Installing the Node SDK (npm packages: @paddle/paddle-node-sdk, standardwebhooks) into .cache/node'
    mkdir -p "$dir"
    cp "$pins/package.json" "$pins/package-lock.json" "$dir/"
    quietly npm ci --prefix "$dir" --ignore-scripts --no-audit --no-fund || fail 'npm could not install the Node SDK'
    cp "$pins/package-lock.json" "$dir/installed-pins"
  fi
  export TOLLGATE_TEST_NODE_MODULES=$dir/node_modules
  [ -d "$TOLLGATE_TEST_NODE_MODULES/@paddle/paddle-node-sdk" ] || fail 'the Node SDK is not in .cache/node; remove that folder and run this again'
}

# Exports TOLLGATE_TEST_PYTHON: the Python that has the Python SDK and the mail server.
python_sdk_install() {
  local pins=$repo/tests/sdk/python/requirements.txt dir=$cache/python python
  # A venv breaks when the Python that it was made from goes away, so ask it, too.
  if ! cmp -s "$pins" "$dir/installed-pins" || ! "$dir/bin/python" -c 'import aiosmtpd, paddle_billing' 2>/dev/null; then
    if ! python=$(find_python); then
      apt_install 'Python' python3 python3-venv
      python=$(find_python) || fail 'the Python SDK needs Python 3.11 or newer, with venv'
    fi
    say 'Installing the Python SDK (PyPI packages: paddle-python-sdk, aiosmtpd) into .cache/python'
    rm -rf "$dir"
    mkdir -p "$cache"
    quietly "$python" -m venv "$dir" || fail 'Python could not create its environment in .cache/python'
    quietly "$dir/bin/python" -m pip install --disable-pip-version-check --requirement "$pins" || fail 'pip could not install the Python SDK'
    cp "$pins" "$dir/installed-pins"
  fi
  export TOLLGATE_TEST_PYTHON=$dir/bin/python
}

# Prints a Python that is new enough for the SDK and can make a venv. Debian's is tried, too, when another stands before it.
find_python() {
  local python
  for python in python3 /usr/bin/python3; do
    if "$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$python"
      return
    fi
  done
  return 1
}
