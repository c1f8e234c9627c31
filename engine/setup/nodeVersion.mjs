// Which Node is new enough. Apart from nodeRuntime.mjs, because every command asks and should load no more for it.

/** Type stripping without a flag and `module.registerHooks` came together here. */
export const oldestNode = [22, 18];

/** @param {string} version e.g. `v20.19.1` */
export function isNewEnough(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const [oldestMajor, oldestMinor] = oldestNode;
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}
