// What every page must pass: the axe rules of WCAG 2.2 A and AA with best practices, also those
// that axe leaves off unless asked, and no sideways scrolling at 320 CSS pixels.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Violations of the page as lines of text. Evaluated by the debugger, so the policy holds. */
export async function violations(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const rules = { "target-size": { enabled: true } };
    const { violations } = await window.axe.run(document, { resultTypes: ["violations"], rules });
    return violations.map(({ id, nodes }) => ({
      id,
      where: nodes.map((node) => `${node.target.join(" ")}: ${node.failureSummary}`),
    }));
  });
  return found.map(({ id, where }) => `${id}\n  ${where.slice(0, 3).join("\n  ")}`);
}

/** How far the page can be scrolled sideways, in pixels. */
export async function overflow(page) {
  return page.evaluate(() => {
    const root = document.documentElement;
    return root.scrollWidth - root.clientWidth;
  });
}
