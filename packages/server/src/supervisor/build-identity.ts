import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** Which Gantry this is: the version, and in a checkout what its files say too. */
export interface BuildIdentity {
  readonly version: string
  /** `0.1.0+4f2a…`: equal when and only when the same code would run. */
  readonly build: string
}

/** Hashes the server's code, the contract's, and the versions they were installed with. `folder` is the one that holds `main`. */
export function readBuildIdentity(folder: string): BuildIdentity {
  const { version } = JSON.parse(readFileSync(join(folder, '../package.json'), 'utf8')) as { version: string }
  const hash = createHash('sha256').update(process.version)
  for (const root of [folder, contractFolder(), join(folder, '../package.json')]) addTree(hash, root)
  return { version, build: `${version}+${hash.digest('hex').slice(0, 12)}` }
}

function contractFolder(): string {
  return dirname(createRequire(import.meta.url).resolve('@gantry/api'))
}

function addTree(hash: ReturnType<typeof createHash>, path: string): void {
  if (path.endsWith('.json')) return void hash.update(readFileSync(path))
  const files = readdirSync(path, { recursive: true, encoding: 'utf8' })
  for (const name of files.sort()) {
    if (!/\.(ts|js|sql)$/.test(name) || /\.test\.ts$|\.d\.ts$/.test(name)) continue
    hash
      .update(`${name}\0`)
      .update(readFileSync(join(path, name)))
      .update('\0')
  }
}
