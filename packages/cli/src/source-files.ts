import type { Dirent } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import ignore, { type Ignore } from 'ignore'

export interface SourceFile {
  /** Relative to the root, with `/`. */
  readonly path: string
  readonly kind: 'file' | 'link'
}

/** Never sent, whatever the ignore files say: secrets of this machine, and what the platform makes anew. */
export function isNeverSent(name: string): boolean {
  return name === '.git' || name === 'node_modules' || name === '.env' || name.startsWith('.env.')
}

interface Rules {
  /** The folder whose ignore files these are, relative to the root, `''` for the root. */
  readonly folder: string
  readonly matcher: Ignore
}

/** The files of a working tree that .gitignore and .gantryignore, at every level, do not exclude; sorted. */
export async function findFiles(root: string): Promise<SourceFile[]> {
  const found: SourceFile[] = []
  await visit(root, '', [], found)
  return found.sort((a, b) => (a.path < b.path ? -1 : 1))
}

async function visit(root: string, folder: string, outer: readonly Rules[], found: SourceFile[]): Promise<void> {
  const rules = [...outer, ...(await readRules(root, folder))]
  for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (isNeverSent(entry.name) || isIgnored(rules, path, entry.isDirectory())) continue
    if (entry.isDirectory()) await visit(root, path, rules, found)
    else if (isSendable(entry)) found.push({ path, kind: entry.isSymbolicLink() ? 'link' : 'file' })
  }
}

function isSendable(entry: Dirent): boolean {
  return entry.isFile() || entry.isSymbolicLink()
}

async function readRules(root: string, folder: string): Promise<Rules[]> {
  const texts = await Promise.all(
    ['.gitignore', '.gantryignore'].map((name) => readFile(join(root, folder, name), 'utf8').catch(() => '')),
  )
  if (texts.every((text) => text === '')) return []
  const matcher = ignore({ ignorecase: false })
  for (const text of texts) matcher.add(text)
  return [{ folder, matcher }]
}

/** The innermost rules that have an opinion decide, as in git. */
function isIgnored(rules: readonly Rules[], path: string, isFolder: boolean): boolean {
  for (const { folder, matcher } of [...rules].reverse()) {
    const inside = folder === '' ? path : path.slice(folder.length + 1)
    const { ignored, unignored } = matcher.test(isFolder ? `${inside}/` : inside)
    if (ignored) return true
    if (unignored) return false
  }
  return false
}
