/** As many links are followed for one path; Linux itself gives up at 40. */
const maxLinks = 40

/**
 * Whether a symbolic link of a tree leads out of it, followed as the kernel would: name by name, through every other link
 * on the way. Comparing the texts alone is not enough: with `x → .`, `x/..` is the folder above the root. A link to
 * nowhere inside the tree does not lead out; one that goes round in circles cannot be followed and is refused too.
 * `links`: path → target, both relative with `/`.
 */
export function leadsOut(path: string, links: ReadonlyMap<string, string>): boolean {
  const pending = path.split('/').reverse()
  const place: string[] = []
  let followed = 0
  while (pending.length > 0) {
    const name = pending.pop() ?? ''
    if (name === '' || name === '.') continue
    if (name === '..') {
      if (place.length === 0) return true
      place.pop()
      continue
    }
    place.push(name)
    const target = links.get(place.join('/'))
    if (target === undefined) continue
    followed++
    if (target.startsWith('/') || followed > maxLinks) return true
    place.pop()
    pending.push(...target.split('/').reverse())
  }
  return false
}
