#!/usr/bin/env bash
# axe-core takes the canvas of a page for white, also where color-scheme makes it dark.
#
# Chromium paints a page with color-scheme: dark on a dark canvas, rgb(18, 18, 18), and a link on it in rgb(158, 158, 255),
# which is easy to read. axe-core 4.14.1 reports that the link's contrast is too low, 2.38, on a background of #ffffff.
# Once the page says that its background is Canvas, the colour that it has had all along, nothing is reported.
#
# Known to its maintainers: dequelabs/axe-core#3605 and #4608, both open.
#
# Needs npm and chromium. Succeeds as long as it is so.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
npm install --silent --no-save axe-core@4.14.1 > npm.log 2>&1 || { cat npm.log; exit 1; }

# look prints what axe-core says of the contrast in a page whose root has these declarations.
look() {
	cat > page.html <<HTML
<!doctype html>
<html lang="en"><head><title>Page</title><style>:root { $1 }</style></head>
<body><main><h1>Page</h1><p><a href="#">A link</a></p></main><pre id="said"></pre>
<script src="node_modules/axe-core/axe.min.js"></script>
<script>
axe.run({ runOnly: ["color-contrast"] }).then((found) => {
  const nodes = found.violations.flatMap((violation) => violation.nodes);
  document.getElementById("said").textContent = "SAID " + (nodes.map((node) => {
    const { bgColor, fgColor, contrastRatio } = node.any[0].data;
    return node.html + " " + fgColor + " on " + bgColor + ": " + contrastRatio;
  }).join("; ") || "nothing");
});
</script></body></html>
HTML
	printf '%s: ' "$1"
	chromium --headless --no-sandbox --disable-gpu --allow-file-access-from-files --virtual-time-budget=10000 \
		--dump-dom "file://$scratch/page.html" 2> chromium.log | sed -n 's/.*SAID \([^<]*.*\)<\/pre>.*/\1/p' | sed 's/&lt;/</g; s/&gt;/>/g'
}
{
	look 'color-scheme: light'
	look 'color-scheme: dark'
	look 'color-scheme: dark; background: Canvas'
} | tee answers

diff - answers <<'SEEN' && echo 'as seen: axe-core 4.14.1 takes a dark canvas for a white one'
color-scheme: light: nothing
color-scheme: dark: <a href="#">A link</a> #9e9eff on #ffffff: 2.38
color-scheme: dark; background: Canvas: nothing
SEEN
