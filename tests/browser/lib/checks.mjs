// Runs named checks, prints one line each, and counts.
export class Checks {
  #passed = 0;
  #failed = 0;

  async run(name, check) {
    try {
      await check();
      this.#passed += 1;
      console.log(`ok    ${name}`);
    } catch (error) {
      this.#failed += 1;
      console.log(`FAIL  ${name}\n      ${String(error.message ?? error).split("\n").join("\n      ")}`);
    }
  }

  same(found, wanted) {
    if (found !== wanted) {
      throw new Error(`found ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`);
    }
  }

  holds(value, what) {
    if (!value) throw new Error(what);
  }

  close() {
    console.log(`${this.#passed} passed, ${this.#failed} failed`);
    return this.#failed === 0 ? 0 : 1;
  }
}
