// Package browser has the tests of jobshttp's pages in a real browser: Chromium, driven by chromedp, with axe-core run in
// the pages. It is a module of its own, so that nobody else carries those.
//
// The tests need Chromium (apt-get install chromium), the folder of the npm package axe-core in AXE, and -tags chromium.
package browser
