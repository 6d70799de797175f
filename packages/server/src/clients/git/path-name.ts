/**
 * Whether a file name could be taken for git's own folder, on any file system: `.git` in any case, with the characters
 * that HFS+ ignores, or by the ways in which NTFS spells it (`git~1`, trailing dots and spaces, streams). After git's
 * own `is_hfs_dotgit` and `is_ntfs_dotgit` (path.c, utf8.c).
 */
function isDotGit(name: string): boolean {
  const folded = fold(name)
  return folded === '.git' || folded === 'git~1'
}

/** Whether a file name means `.gitmodules` somewhere: as a symbolic link it has been used to run code in clones. */
export function isDotGitFile(name: string, file: 'modules' | 'attributes' | 'ignore'): boolean {
  return fold(name) === `.git${file}`
}

/** Why a name cannot be part of a path that is written to disk; undefined when it can. */
export function faultOfName(name: string): string | undefined {
  if (name === '' || name === '.' || name === '..') return 'has an empty part, or one that is "." or ".."'
  if (/[/\0]/.test(name)) return 'has a slash or NUL in a file name'
  if (Buffer.byteLength(name) > 255) return 'has a file name of more than 255 bytes'
  if (isDotGit(name)) return 'has a part that is ".git"'
  return undefined
}

const ignoredByHfs = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g

function fold(name: string): string {
  const stream = name.replace(ignoredByHfs, '').split(/[:\\]/, 1)[0] ?? ''
  return stream.toLowerCase().replace(/[. ]+$/, '')
}
