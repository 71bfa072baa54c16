/**
 * The version a form's fields were read at, which is what its `If-Match` has to name.
 *
 * A page is read anew behind an open form: another form of it was saved, the line came back, the
 * language was changed. The newer version is taken over only while these fields are stored as the
 * form knows them; otherwise it would write over what somebody else wrote meanwhile, unseen.
 */
export class Basis<Part> {
  #known: string;
  #version: number;

  constructor(part: Part, version: number) {
    this.#known = JSON.stringify(part);
    this.#version = version;
  }

  /** The version to name, where the page now shows these. */
  seen(part: Part, version: number): number {
    if (JSON.stringify(part) === this.#known) this.#version = Math.max(this.#version, version);
    return this.#version;
  }

  /** Saved: this is what is stored now. */
  saved(part: Part, version: number): void {
    this.#known = JSON.stringify(part);
    this.#version = version;
  }
}
