/** JSON Pointer (RFC 6901) into a document: the server names places by it, the form by fields. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export function steps(pointer: string): string[] {
  return pointer === ''
    ? []
    : pointer
        .slice(1)
        .split('/')
        .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

export function pointerOf(...parts: readonly (string | number)[]): string {
  return parts
    .map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('');
}

/** What stands at a place; undefined where nothing does. */
export function valueAt(document: Json | undefined, pointer: string): Json | undefined {
  let found: Json | undefined = document;
  for (const step of steps(pointer)) {
    if (Array.isArray(found)) found = found[Number(step)];
    else if (found !== null && typeof found === 'object') found = found[step];
    else return undefined;
  }
  return found;
}

/**
 * A copy of the document with `value` at the place; `undefined` takes a key away. Only what lies on
 * the way is copied, so that what did not change stays the same object.
 */
export function withValue(document: Json, pointer: string, value: Json | undefined): Json {
  return put(document, steps(pointer), value);
}

function put(at: Json | undefined, way: readonly string[], value: Json | undefined): Json {
  const [step, ...rest] = way;
  if (step === undefined) return value ?? null;
  const gone = rest.length === 0 && value === undefined;
  if (Array.isArray(at)) {
    const index = Number(step);
    return gone
      ? at.filter((_, place) => place !== index)
      : Object.assign([...at], { [index]: put(at[index], rest, value) });
  }
  const object: JsonObject = at !== null && typeof at === 'object' ? at : {};
  if (!gone) return { ...object, [step]: put(object[step], rest, value) };
  const { [step]: _gone, ...left } = object;
  return left;
}

/** Whether a place lies at or below another. */
export const isWithin = (pointer: string, above: string): boolean =>
  pointer === above || pointer.startsWith(`${above}/`);
