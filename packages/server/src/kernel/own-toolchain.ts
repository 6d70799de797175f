import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** Gantry's own Node.js and npm, copied below GANTRY_HOME by the supervisor so that every uid can run them. */
export interface OwnToolchain {
  readonly nodeVersion: string
  readonly npmVersion: string
  /** `toolchains/node-<version>`; its `bin` holds `node`, `npm` and `npx`. */
  readonly nodeFolder: string
  readonly binFolder: string
  /** `toolchains/npm-<version>`; its `bin` holds `npm-cli.js` and `npx-cli.js`. */
  readonly npmFolder: string
  readonly npmBinFolder: string
  /** Where npm is installed with Gantry. */
  readonly npmSource: string
}

export function ownToolchain(home: string): OwnToolchain {
  const manifest = createRequire(import.meta.url).resolve('npm/package.json')
  const { version: npmVersion } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }
  const nodeVersion = process.versions.node
  const nodeFolder = join(home, 'toolchains', `node-${nodeVersion}`)
  const npmFolder = join(home, 'toolchains', `npm-${npmVersion}`)
  return {
    nodeVersion,
    npmVersion,
    nodeFolder,
    binFolder: join(nodeFolder, 'bin'),
    npmFolder,
    npmBinFolder: join(npmFolder, 'bin'),
    npmSource: dirname(manifest),
  }
}
