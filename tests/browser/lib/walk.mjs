// The reviewer's way: Today, review, decide by keyboard, by mouse and without script, undo, sign,
// proof. Each step finds what it needs on the page, so that it runs on any review with open items.

export async function walk(browser, checks, session) {
  const context = await browser.context({ storageState: session.state });
  const page = await context.newPage();
  await checks.run("Today leads to the waiting review", async () => {
    await page.goto(session.base);
    await page.locator(".hero .button.primary").first().click();
    checks.holds(/^\/reviews\/[^/]+$/.test(new URL(page.url()).pathname), page.url());
  });
  const review = session.base + new URL(page.url()).pathname;
  await keyboard(checks, page, review);
  await outside(checks, page, review);
  await mouse(checks, page, review);
  await withoutScript(browser, checks, session, review);
  await decideRest(checks, page, review);
  await signOff(checks, page, review);
  await context.close();
}

const open = (page) => page.locator("[data-item]:not(.is-drafted):has(.decide)");
const left = async (page) => Number(await page.locator(".tab-count").first().innerText())
  + Number(await page.locator(".tab-count").nth(1).innerText());

/** The choice of an item that needs no note, by its key. */
const freeKey = (item) => item.locator(".choice:not([data-needs-note]):not(:disabled)").first()
  .getAttribute("data-key");

async function keyboard(checks, page, review) {
  await checks.run("the list is two stops from the start of the page", async () => {
    await page.goto(review);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    checks.holds(await page.evaluate(() => document.activeElement.matches("[data-skip-items]")), "no link");
    await page.keyboard.press("Enter");
    const item = page.locator("[data-item]").first();
    checks.holds(await item.evaluate((i) => i === document.activeElement), "not on the first item");
    const groups = await page.locator(".rail-groups a").count();
    await page.keyboard.press(await freeKey(item));
    await page.locator("[data-item].is-drafted:focus").waitFor();
    checks.same(await page.locator(".rail-groups a").count(), groups);
    await page.keyboard.press("u");
    await page.locator("[data-item]:not(.is-drafted):focus").waitFor();
  });
  await checks.run("a choice that cannot be made says why", async () => {
    const item = open(page).filter({ has: page.locator(".choice:disabled") }).first();
    await item.focus();
    await page.keyboard.press(await item.locator(".choice:disabled").getAttribute("data-key"));
    const why = await item.locator(".cannot").innerText();
    checks.same(await page.locator("#said").innerText(), why);
  });
  await checks.run("a key drafts a decision and keeps the focus on the item", async () => {
    await page.goto(`${review}?group=flat`);
    const item = open(page).first();
    const id = await item.getAttribute("id");
    const before = await left(page);
    await item.focus();
    await page.keyboard.press(await freeKey(item));
    await page.locator(`[id="${id}"].is-drafted`).waitFor();
    checks.same(await left(page), before - 1);
    checks.same(await page.evaluate(() => document.activeElement.id), id);
    checks.holds(/^Draft: /.test(await page.locator("#said").innerText()), "nothing announced");
  });
  await checks.run("u takes the draft back", async () => {
    const before = await left(page);
    await page.keyboard.press("u");
    await page.locator(".is-drafted:focus").waitFor({ state: "detached" });
    checks.same(await left(page), before + 1);
  });
  await checks.run("j, k, Enter, n and Escape move, open, write and come back", async () => {
    const items = page.locator("[data-item]");
    await items.first().focus();
    await page.keyboard.press("Enter");
    checks.holds(await items.first().locator(".item-more").evaluate((d) => d.open), "not opened");
    if (await items.count() > 1) {
      await page.keyboard.press("j");
      checks.holds(await items.nth(1).evaluate((i) => i === document.activeElement), "j");
      await page.keyboard.press("k");
    }
    await page.keyboard.press("n");
    checks.same(await page.evaluate(() => document.activeElement.name), "note");
    await page.keyboard.type("1 j u");
    checks.same(await page.locator(":focus").inputValue(), "1 j u");
    await page.keyboard.press("Escape");
    checks.holds(await items.first().evaluate((i) => i === document.activeElement), "Escape");
  });
  await checks.run("a choice that needs a note asks for it, and Enter sends both", async () => {
    await page.goto(`${review}?group=flat`);
    const item = open(page).filter({ has: page.locator("[data-needs-note]:not(:disabled)") }).first();
    const id = await item.getAttribute("id");
    const key = await item.locator("[data-needs-note]:not(:disabled)").first().getAttribute("data-key");
    await item.focus();
    await page.keyboard.press(key);
    checks.same(await page.evaluate(() => document.activeElement.name), "note");
    await page.keyboard.type("agreed with the owner");
    await page.keyboard.press("Enter");
    await page.locator(`[id="${id}"].is-drafted`).waitFor();
    await page.keyboard.press("u");
    await page.locator(`[id="${id}"]:not(.is-drafted)`).waitFor();
  });
}

async function outside(checks, page, review) {
  await checks.run("shortcuts do nothing while the focus is outside the list", async () => {
    await page.goto(review);
    const before = await left(page);
    await page.locator("#filter").focus();
    await page.keyboard.type("123u");
    checks.same(await page.locator("#filter").inputValue(), "123u");
    await page.locator("#main").focus();
    for (const key of ["1", "3", "u", "j", "n", "?"]) await page.keyboard.press(key);
    checks.same(await page.evaluate(() => document.activeElement.id), "main");
    await page.reload();
    checks.same(await left(page), before);
  });
  await checks.run("shortcuts can be switched off, and on again", async () => {
    await page.locator("#keys > summary").click();
    await page.getByRole("button", { name: "Switch shortcuts off" }).click();
    const before = await left(page);
    await open(page).first().locator(".choice").first().focus();
    await page.keyboard.press("3");
    await page.reload();
    checks.same(await left(page), before);
    await page.locator("#keys > summary").click();
    await page.getByRole("button", { name: "Switch shortcuts on" }).click();
    checks.same(await page.locator("[data-items]").getAttribute("data-shortcuts"), "on");
  });
}

async function mouse(checks, page, review) {
  await checks.run("a click drafts and Undo takes it back, without leaving the page", async () => {
    await page.goto(review);
    const item = open(page).first();
    const id = await item.getAttribute("id");
    await item.locator(".choice:not([data-needs-note]):not(:disabled)").first().click();
    const row = page.locator(`[id="${id}"]`);
    await page.locator(`[id="${id}"].is-drafted`).waitFor();
    await row.locator("[data-undo]").click();
    await page.locator(`[id="${id}"]:not(.is-drafted)`).waitFor();
    checks.holds(!page.url().includes("done="), page.url());
  });
}

async function withoutScript(browser, checks, session, review) {
  const context = await browser.context({ storageState: session.state, javaScriptEnabled: false });
  const page = await context.newPage();
  await checks.run("without script: no keys are promised", async () => {
    await page.goto(`${review}?tab=look`);
    checks.same(await page.locator("kbd:visible").count(), 0);
    checks.same(await page.locator("#keys:visible").count(), 0);
  });
  await checks.run("without script: draft, undo and a refusal on its row", async () => {
    await page.goto(`${review}?tab=look`);
    const refused = open(page).filter({ has: page.locator("[data-needs-note]:not(:disabled)") });
    if (await refused.count()) {
      await refused.first().locator("[data-needs-note]:not(:disabled)").first().click();
      checks.same(await page.locator(".field-error").count(), 1);
      await page.goto(review);
    }
    const before = await left(page);
    await open(page).first().locator(".choice:not([data-needs-note]):not(:disabled)").first().click();
    checks.same(await left(page), before - 1);
    await page.locator(".notice-good button").click();
    checks.same(await left(page), before);
  });
  await context.close();
}

async function decideRest(checks, page, review) {
  await checks.run("every item can be decided", async () => {
    for (let turn = 0; turn < 500; turn += 1) {
      await page.goto(review);
      if ((await left(page)) === 0) return;
      const item = open(page).first();
      if (!(await item.count())) {
        await page.locator("#tabs a").nth(1).click();
      }
      const id = await item.getAttribute("id");
      const choice = item.locator(".choice:not([data-needs-note]):not(:disabled)").first();
      if (await choice.count()) {
        await choice.click();
      } else {
        await item.locator(".note > summary").click();
        await item.locator("textarea").fill("decided in the walk");
        await item.locator(".choice:not(:disabled)").first().click();
      }
      await page.locator(`[id="${id}"].is-drafted`).waitFor();
      await namesNext(checks, page);
    }
    throw new Error("items are left after 500 turns");
  });
}

/** A pile that is through says what comes next, in place. */
async function namesNext(checks, page) {
  const counts = page.locator(".tab-count");
  const [look, quiet] = [await counts.nth(0).innerText(), await counts.nth(1).innerText()];
  if (look === "0" && quiet === "0") {
    checks.same(await page.locator("#next .button").innerText(), "Sign off");
  } else if (look === "0" && await page.locator('#tabs a[href*="tab=look"][aria-current]').count()) {
    checks.holds((await page.locator("#next .button").innerText()).startsWith("Next: "), "no next");
  }
}

async function signOff(checks, page, review) {
  await checks.run("what a signature takes away is named before the statement", async () => {
    await page.goto(`${review}/sign-off`);
    const taken = Number(await page.locator(".tile-narrow b").innerText())
      + Number(await page.locator(".tile-remove b").innerText());
    checks.same(await page.locator('[aria-labelledby="changes"] li').count(), taken);
  });
  await checks.run("signing needs the statement", async () => {
    await page.goto(`${review}/sign-off`);
    await page.locator(".sign .button.primary").click();
    checks.same(new URL(page.url()).pathname.endsWith("/sign-off"), true);
  });
  await checks.run("signing leads to the result with its proof", async () => {
    await page.locator('input[name="accept"]').check();
    await page.locator(".sign .button.primary").click();
    await page.waitForURL("**/result");
    const proof = page.locator(".proof-good");
    for (let turn = 0; turn < 40 && !(await proof.count()); turn += 1) {
      await page.waitForTimeout(250);
      await page.reload();
    }
    checks.holds(await proof.count(), await page.locator(".proof").innerText());
    const facts = await page.locator(".proof-facts dd").allInnerTexts();
    checks.holds(["refused", "not needed"].includes(facts[1]), facts.join(", "));
    checks.same(facts[2], "0");
  });
  await checks.run("the evidence can be downloaded", async () => {
    const waiting = page.waitForEvent("download");
    await page.getByRole("link", { name: "Download evidence" }).click();
    const file = await waiting;
    checks.holds(file.suggestedFilename().endsWith("-evidence.json"), file.suggestedFilename());
  });
}
