/**
 * `npm pack` of a workspace: what its code reads by path and the compiler does not copy. Run in the package's folder, after
 * the compiler. Everything in `src` that is no TypeScript goes to the same place in `dist`; the CLI gets the sample app too.
 */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const checkout = join(dirname(fileURLToPath(import.meta.url)), '..')
const { name } = JSON.parse(readFileSync('package.json', 'utf8'))

for (const path of readdirSync('src', { recursive: true, withFileTypes: true })) {
  if (!path.isFile() || /\.(ts|tsbuildinfo)$/.test(path.name)) continue
  const from = join(path.parentPath, path.name)
  cpSync(from, join('dist', from.slice('src/'.length)))
}

if (name === '@gantry/cli') {
  const sample = join('dist', 'examples', 'hello-node')
  rmSync(sample, { recursive: true, force: true })
  cpSync(join(checkout, 'examples', 'hello-node'), sample, { recursive: true })
}

// what an earlier run of the compiler left, of files that are gone or that only tests use, is not published
for (const path of readdirSync('dist', { recursive: true, withFileTypes: true })) {
  const built = join(path.parentPath, path.name)
  if (!path.isFile() || !/\.(js|d\.ts)$/.test(path.name) || built.startsWith(join('dist', 'examples'))) continue
  const source = built.replace(/^dist/, 'src').replace(/(\.d\.ts|\.js)$/, '.ts')
  if (/(?:\.test|\.fixture|-contract)\.ts$|\/engines\/fake\//.test(source) || !existsSync(source)) rmSync(built)
}
