import { constants, existsSync } from 'node:fs'
import { chmod, copyFile, mkdir, rename, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { type OwnToolchain, ownToolchain } from '../../kernel/own-toolchain.ts'
import type { SpawnArgv } from '../../kernel/spawn-argv.ts'
import { copyInto } from './copy-into.ts'

/** Copies Gantry's Node.js and npm below GANTRY_HOME unless they are there: whole, or not at all. Readable for every uid. */
export async function installToolchains(home: string, nodeBinary: string, spawn: SpawnArgv): Promise<OwnToolchain> {
  const own = ownToolchain(home)
  await Promise.all([
    installOnce(own.npmFolder, (folder) => copyInto(folder, [own.npmSource], spawn)),
    installOnce(own.nodeFolder, async (folder) => {
      const bin = join(folder, 'bin')
      await mkdir(bin, { recursive: true })
      await copyFile(nodeBinary, join(bin, 'node'), constants.COPYFILE_FICLONE)
      await chmod(join(bin, 'node'), 0o755)
      for (const name of ['npm', 'npx']) {
        await symlink(`../../npm-${own.npmVersion}/bin/${name}-cli.js`, join(bin, name))
      }
    }),
  ])
  return own
}

async function installOnce(folder: string, make: (folder: string) => Promise<void>): Promise<void> {
  if (existsSync(folder)) return
  const unfinished = `${folder}.new`
  await rm(unfinished, { recursive: true, force: true })
  await make(unfinished)
  await rename(unfinished, folder)
}
