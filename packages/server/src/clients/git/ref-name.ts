export type Oid = string

/** The value git gives a ref that does not exist. */
export const zeroOid = '0'.repeat(40)

export function isOid(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text)
}

const maxRefBytes = 1024
/** A loose ref is a file, and its lock has `.lock` at the end: a name longer than this cannot be written. */
const maxComponentBytes = 240

/**
 * Whether a full ref name (`refs/heads/main`) is one that git accepts, by git-check-ref-format(1), and one that cannot be
 * taken for an option. Says nothing about shells: `refs/heads/a;b` is a name like any other.
 */
export function isRefName(name: string): boolean {
  if (Buffer.byteLength(name) > maxRefBytes || !name.startsWith('refs/')) return false
  if (/[\0-\x20\x7f~^:?*[\\]|\.\.|@\{|\.$/.test(name) || name.isWellFormed() === false || name.includes('\ufffd'))
    return false
  const components = name.split('/')
  return components.length >= 3 && components.every(isRefComponent)
}

function isRefComponent(component: string): boolean {
  if (component === '' || component.startsWith('.') || component.startsWith('-') || component.endsWith('.lock'))
    return false
  return Buffer.byteLength(component) <= maxComponentBytes
}

/** Whether a branch can have this name: `main`, `team/feature`. */
export function isBranchName(name: string): boolean {
  return name !== 'HEAD' && name !== '@' && isRefName(`refs/heads/${name}`)
}
