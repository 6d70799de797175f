/** The documents of the repository: what generators fill and truth tests read. */
import { readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..')

const folders = ['docs', 'benchmarks', 'examples']

/** Paths of all Markdown files relative to the repository, sorted. */
export async function markdownFiles(): Promise<string[]> {
  const found = (await readdir(root)).filter((name) => name.endsWith('.md'))
  for (const folder of folders) {
    const names = await readdir(join(root, folder), { recursive: true })
    found.push(...names.filter((name) => name.endsWith('.md')).map((name) => `${folder}/${name}`))
  }
  return found.sort()
}
