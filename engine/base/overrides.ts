/**
 * Whether `method` is a faster way of doing what `base` does: it is there, and no class that derives from the one which
 * brings it has a `base` of its own. What a user overrides must count whichever of the two is called.
 */
export function standsFor(object: object, method: string, base: string): boolean {
  for (let owner: object | null = object; owner !== null; owner = Object.getPrototypeOf(owner)) {
    if (Object.hasOwn(owner, method)) return true;
    if (Object.hasOwn(owner, base)) return false;
  }
  return false;
}
