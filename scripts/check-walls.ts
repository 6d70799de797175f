/** Holds the walls: prints each import that breaks one, each banned text and each cycle between rooms, and exits 1. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bans, ports, privatePorts, rooms, roomWall, type Wall, walls } from './walls.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const serverSource = 'packages/server/src'

interface Import {
  readonly file: string
  readonly line: number
  readonly target: string
}

export function findBreaches(): string[] {
  const files = ['packages/api/src', serverSource, 'packages/cli/src'].flatMap(listSources)
  return files.flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8')
    const imports = importsOf(file, text)
    return [...bannedTexts(file, text), ...imports.flatMap((found) => breachOf(found) ?? [])]
  })
}

function listSources(folder: string): string[] {
  let names: string[]
  try {
    names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
  } catch {
    return []
  }
  return names.filter((name) => /\.tsx?$/.test(name) && !isForTests(name)).map((name) => join(folder, name))
}

function isForTests(name: string): boolean {
  return /\.(?:test|fixture)\.tsx?$/.test(name) || name.includes('test-support/')
}

function importsOf(file: string, text: string): Import[] {
  const found: Import[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const target = /(?:\bfrom|\bimport\(|^import)\s*'([^']+)'/.exec(line)?.[1]
    const isErased = /^import type\b/.test(line) && target === '@gantry/api'
    if (target && !isErased) found.push({ file, line: index + 1, target })
  }
  return found
}

function bannedTexts(file: string, text: string): string[] {
  return bans.flatMap(({ pattern, reason, within, except }) => {
    if (within?.test(file) === false || except?.test(file)) return []
    const line = text.split('\n').findIndex((content) => pattern.test(content))
    return line < 0 ? [] : [`${file}:${line + 1}: ${reason}`]
  })
}

function breachOf({ file, line, target }: Import): string | undefined {
  const reason = reasonAgainst(file, target)
  return reason && `${file}:${line}: imports ${target}: ${reason}`
}

function reasonAgainst(file: string, target: string): string | undefined {
  if (target.startsWith('node:'))
    return file.startsWith('packages/api/') ? 'the contract is not for Node only' : undefined
  if (!target.startsWith('.')) return packageReason(file, target)
  const path = normalize(join(dirname(file), target))
  const ownPackage = file.split('/').slice(0, 3).join('/')
  if (!path.startsWith(`${ownPackage}/`)) return 'leaves its package'
  if (!file.startsWith(`${serverSource}/`)) return undefined
  return serverReason(relative(serverSource, file), relative(serverSource, path))
}

function packageReason(file: string, target: string): string | undefined {
  const name = target.startsWith('@') ? target.split('/').slice(0, 2).join('/') : (target.split('/')[0] ?? target)
  if (file.startsWith('packages/cli/') && name === '@gantry/server') return 'the CLI knows the contract only'
  if (!file.startsWith(`${serverSource}/`)) return undefined
  const wall = wallOf(relative(serverSource, file))
  if (!wall || wall.packages.includes('*') || wall.packages.includes(name)) return undefined
  return `${wall.part} may use ${wall.packages.join(', ') || 'no package'}`
}

function wallOf(path: string): Wall | undefined {
  const part = path.split('/')[0] ?? ''
  if ((rooms as readonly string[]).includes(part)) return { part, ...roomWall }
  return walls.find((wall) => wall.part === part)
}

function serverReason(from: string, to: string): string | undefined {
  const wall = wallOf(from)
  if (!wall) return undefined // main, compose and the programs' entry points see everything
  const own = from.split('/')[0] ?? ''
  const other = to.split('/')[0] ?? ''
  if (isAdapter(own) && own === other) return adapterReason(from, to)
  if (own === other || wall.mayImport.includes(other)) return undefined
  if (wall.ports && (ports as readonly string[]).includes(to)) return undefined
  if (privatePorts[own]?.includes(to)) return undefined
  if ((rooms as readonly string[]).includes(other)) return roomReason(wall, other, to)
  return `${own} may import ${[...wall.mayImport, ...(wall.ports ? ['ports'] : [])].join(', ') || 'nothing'}`
}

function isAdapter(part: string): boolean {
  return part === 'engines' || part === 'builders' || part === 'clients'
}

/** An adapter sees its port and its own folder, never a sibling. */
function adapterReason(from: string, to: string): string | undefined {
  const [, ownFolder] = from.split('/')
  const [, otherFolder, deeper] = to.split('/')
  if (deeper === undefined || ownFolder === otherFolder || from.split('/').length === 2) return undefined
  return 'an adapter never imports a sibling'
}

function roomReason(wall: Wall, other: string, to: string): string | undefined {
  if (to !== `${other}/index.ts`) return `use the door ${other}/index.ts`
  if (wall.mayImport.includes('rooms')) return undefined
  const order = rooms as readonly string[]
  const own = order.indexOf(wall.part)
  if (own < 0) return `${wall.part} never imports a room`
  return order.indexOf(other) < own ? undefined : `${other} stands after ${wall.part}`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const breaches = findBreaches()
  for (const breach of breaches) process.stderr.write(`${breach}\n`)
  process.stderr.write(breaches.length === 0 ? 'walls: 0 breaches\n' : `walls: ${breaches.length} breaches\n`)
  process.exitCode = breaches.length === 0 ? 0 : 1
}
