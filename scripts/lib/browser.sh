# shellcheck shell=bash
# What the browser's journey needs: Chromium, and the npm packages that tests/browser pins, in the ignored cache folder.
# Sourced after common.sh. The cache keeps a copy of the pins that it was made from; while they are the same, nothing is
# installed again.

# Exports TOLLGATE_TEST_CHROMIUM and TOLLGATE_TEST_BROWSER_MODULES: the node_modules folder with Playwright's core, axe-core, and the
# official loader of Paddle.js.
browser_install() {
  chromium_find || { apt_install 'a browser' chromium fonts-dejavu-core; chromium_find; } ||
    fail 'Chromium is still missing after its installation'
  command -v node >/dev/null || apt_install 'Node.js' nodejs
  local pins=$repo/tests/browser dir=$cache/browser
  if ! cmp -s "$pins/package-lock.json" "$dir/installed-pins"; then
    command -v npm >/dev/null || apt_install 'npm' npm
    say 'Installing what drives the browser (npm packages: playwright-core, axe-core, oidc-provider, @paddle/paddle-js) into .cache/browser'
    mkdir -p "$dir"
    cp "$pins/package.json" "$pins/package-lock.json" "$dir/"
    quietly npm ci --prefix "$dir" --ignore-scripts --no-audit --no-fund || fail 'npm could not install what drives the browser'
    cp "$pins/package-lock.json" "$dir/installed-pins"
  fi
  export TOLLGATE_TEST_BROWSER_MODULES=$dir/node_modules
  [ -d "$TOLLGATE_TEST_BROWSER_MODULES/playwright-core" ] ||
    fail 'Playwright is not in .cache/browser; remove that folder and run this again'
}

chromium_find() {
  TOLLGATE_TEST_CHROMIUM=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || return 1
  export TOLLGATE_TEST_CHROMIUM
}
