/** Whether a kernel of this release (`uname -r`: `5.4.0-150-generic`) is of that version or a later one. */
export function isSince(release: string, version: { readonly major: number; readonly minor: number }): boolean {
  const [major = 0, minor = 0] = release.split('.').map((part) => Number.parseInt(part, 10) || 0);
  return major > version.major || (major === version.major && minor >= version.minor);
}
