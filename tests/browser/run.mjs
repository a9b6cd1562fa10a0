// Checks the console in a real browser. Usage:
//
//   node run.mjs --sign-in URL     a running console and a one-time link of a reviewer with a
//                                  waiting review; the walk decides and signs it
//   node run.mjs --gallery URL     the gallery of all page states (examples/gallery.rs), which is
//                                  also a console over sample data
//
// CHROMIUM names the browser (default /usr/bin/chromium). One line per check, then
// `N passed, N failed`; the exit code is 1 when a check failed.
import { launch } from "./lib/browser.mjs";
import { Checks } from "./lib/checks.mjs";
import { checkStates } from "./lib/states.mjs";
import { checkPages } from "./lib/pages.mjs";
import { walk } from "./lib/walk.mjs";

const wanted = new Map();
for (let index = 2; index < process.argv.length; index += 2) {
  wanted.set(process.argv[index], process.argv[index + 1]);
}
const gallery = wanted.get("--gallery");
const signIn = wanted.get("--sign-in") ?? (gallery && new URL("/?once=admin", gallery).href);
if (!signIn) {
  console.error("usage: node run.mjs --sign-in URL | --gallery URL");
  process.exit(3);
}

const checks = new Checks();
const browser = await launch();
try {
  const session = await browser.signIn(signIn);
  await checks.run("the one-time code leaves the address and the history", async () => {
    checks.same(session.landedOn, "/");
    checks.same(session.codeKept, false);
  });
  if (gallery) await checkStates(browser, checks, gallery, session);
  await checkPages(browser, checks, session);
  await walk(browser, checks, session);
  await checks.run("no console error and no blocked resource on any page", async () => {
    checks.same(browser.complaints.join("\n"), "");
  });
} finally {
  await browser.close();
}
process.exit(checks.close());
