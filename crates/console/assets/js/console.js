// Keys and partial updates for the review list. Nothing here is needed: every act is a plain form,
// and this script sends the same forms. Without it, or with shortcuts switched off, pages work.
"use strict";

(() => {
  const list = document.querySelector("[data-items]");
  const said = document.getElementById("said");

  closeMenus();
  if (list) {
    sendInPlace();
    if (list.dataset.shortcuts === "on") {
      listenToKeys();
    }
  }

  /** Closes the account menu on Escape and on a click elsewhere. */
  function closeMenus() {
    const menu = document.querySelector(".account");
    if (!menu) return;
    document.addEventListener("click", (event) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !menu.open) return;
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  }

  /** Sends a row's form in the background and swaps the parts that changed. */
  function sendInPlace() {
    list.addEventListener("submit", (event) => {
      const form = event.target;
      const item = form.closest("[data-item]");
      if (!item || item.dataset.busy) {
        if (item) event.preventDefault();
        return;
      }
      event.preventDefault();
      send(form, event.submitter, item);
    });
  }

  async function send(form, submitter, item) {
    const wanted = submitter && submitter.hasAttribute("data-needs-note");
    const note = form.elements.namedItem("note");
    if (wanted && note && note.value.trim() === "") {
      askForNote(item, submitter.value);
      return;
    }
    item.dataset.busy = "yes";
    const body = new URLSearchParams(new FormData(form));
    if (submitter && submitter.name) body.set(submitter.name, submitter.value);
    try {
      const headers = { "x-portreeve-parts": "yes" };
      const answer = await fetch(form.action, { method: "POST", body, headers, redirect: "manual" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const parts = page.querySelector("[data-said]");
      if (!parts) throw new Error("no parts");
      swap(parts, item);
    } catch {
      // Signed out, or the server is away: let the browser send it and show what comes.
      delete item.dataset.busy;
      resend(form, submitter);
    }
  }

  /** The plain way: a submit() call does not raise the event again. */
  function resend(form, submitter) {
    if (submitter && submitter.name) {
      const field = document.createElement("input");
      Object.assign(field, { type: "hidden", name: submitter.name, value: submitter.value });
      form.append(field);
    }
    form.submit();
  }

  function swap(parts, item) {
    const open = item.querySelector(".item-more").open;
    const hadFocus = item.contains(document.activeElement);
    for (const id of ["progress", "tabs", "next", item.id]) {
      const now = document.getElementById(id);
      const next = [...parts.querySelectorAll("[id]")].find((part) => part.id === id);
      if (now && next) now.replaceWith(next);
    }
    const fresh = document.getElementById(item.id);
    fresh.querySelector(".item-more").open = open;
    if (list.dataset.shortcuts === "on") fresh.tabIndex = 0;
    const field = fresh.querySelector("[aria-invalid]");
    if (field) field.focus();
    else if (hadFocus) focusAfter(fresh);
    said.textContent = parts.dataset.said;
  }

  /** Focus stays on the item, which with shortcuts is one key from the next. */
  function focusAfter(item) {
    if (item.tabIndex === 0) item.focus();
    else (item.querySelector("[data-undo]") || item.querySelector(".choice") || item).focus();
  }

  function askForNote(item, verdict) {
    const details = item.querySelector(".note");
    details.open = true;
    item.dataset.pending = verdict;
    item.querySelector("textarea").focus();
    said.textContent = item.querySelector(".hint").textContent;
  }

  function listenToKeys() {
    for (const item of items()) item.tabIndex = -1;
    const first = items()[0];
    if (first) first.tabIndex = 0;
    // Past the list itself: keys work on an item.
    document.querySelector("[data-skip-items]").addEventListener("click", (event) => {
      if (!first) return;
      event.preventDefault();
      focusOn(list.querySelector('[data-item][tabindex="0"]'));
    });
    list.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
      const item = event.target.closest("[data-item]");
      if (!item) return;
      const handled = writing(event.target) ? onNoteKey(event, item) : onKey(event, item);
      if (handled) event.preventDefault();
    });
    list.addEventListener("focusin", (event) => {
      const item = event.target.closest("[data-item]");
      if (!item) return;
      for (const other of items()) other.tabIndex = other === item ? 0 : -1;
    });
  }

  function items() {
    return [...list.querySelectorAll("[data-item]")];
  }

  function writing(element) {
    return element.matches("input, textarea, select");
  }

  /** In the note: Escape goes back to the item; Enter sends the choice that asked for the note. */
  function onNoteKey(event, item) {
    if (event.key === "Escape") {
      delete item.dataset.pending;
      item.focus();
      return true;
    }
    if (event.key !== "Enter" || event.shiftKey || !item.dataset.pending) return false;
    const choice = item.querySelector(`.choice[value="${item.dataset.pending}"]`);
    delete item.dataset.pending;
    choice.click();
    return true;
  }

  function onKey(event, item) {
    switch (event.key) {
      case "j": case "ArrowDown": return move(item, 1);
      case "k": case "ArrowUp": return move(item, -1);
      case "]": return moveGroup(item, 1);
      case "[": return moveGroup(item, -1);
      case "1": case "2": case "3": return press(item, `[data-key="${event.key}"]`);
      case "u": return press(item, "[data-undo]");
      case "n": return openNote(item);
      case "Enter": return event.target === item && toggle(item.querySelector(".item-more"));
      case "/": return focusOn(document.getElementById("filter"));
      case "?": return showKeys();
      default: return false;
    }
  }

  function move(item, step) {
    const all = items();
    return focusOn(all[all.indexOf(item) + step]);
  }

  function moveGroup(item, step) {
    const groups = [...list.querySelectorAll(".group")];
    const group = groups[groups.indexOf(item.closest(".group")) + step];
    return group ? focusOn(group.querySelector("[data-item]")) : true;
  }

  function focusOn(element) {
    if (!element) return true;
    element.focus();
    element.scrollIntoView({ block: "nearest" });
    return true;
  }

  function press(item, selector) {
    const button = item.querySelector(selector);
    if (!button) return true;
    if (button.disabled) said.textContent = item.querySelector(".cannot").textContent;
    else button.click();
    return true;
  }

  function openNote(item) {
    const details = item.querySelector(".note");
    if (!details) return true;
    details.open = true;
    return focusOn(details.querySelector("textarea"));
  }

  function toggle(details) {
    details.open = !details.open;
    return true;
  }

  function showKeys() {
    const keys = document.getElementById("keys");
    keys.open = true;
    return focusOn(keys.querySelector("summary"));
  }
})();
