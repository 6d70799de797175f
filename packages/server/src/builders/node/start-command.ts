import type { ProcessTypePlan } from '../builder.ts'
import type { PackageJson } from './package-json.ts'

/** How to start an app without a Procfile, and the sentence that says why. */
export interface Start {
  readonly web: ProcessTypePlan
  readonly because: string
}

/**
 * The `start` script, run without npm in between (npm costs 190 ms and 60 MB, and swallows the drain), else `main`, else
 * `server.js` or `index.js`. `hasFile` tells whether the tree has a file; `isBuilt`, that a build step may still make it.
 */
export async function findStart(
  json: PackageJson,
  hasFile: (path: string) => Promise<boolean>,
  isBuilt: boolean,
): Promise<Start | undefined> {
  if (json.scripts.start?.trim()) {
    return { web: { command: startScript(json.scripts), overlap: true }, because: 'web runs the "start" script.' }
  }
  if (json.main !== undefined && (isBuilt || (await hasAnyOf(candidates(json.main), hasFile)))) {
    return { web: nodeFile(json.main), because: `web runs "main" of package.json, ${json.main}.` }
  }
  for (const file of ['server.js', 'index.js']) {
    if (await hasFile(file)) return { web: nodeFile(file), because: `web runs ${file}.` }
  }
  return undefined
}

/** What npm runs for `npm start`. A script that reads what only npm sets is left to npm. */
function startScript(scripts: Readonly<Record<string, string>>): string {
  const parts = [scripts.prestart, scripts.start, scripts.poststart].flatMap((line) =>
    line?.trim() ? [line.trim()] : [],
  )
  if (parts.some((line) => /\bnpm_(?:package|config|lifecycle)_/.test(line))) return 'npm start'
  if (parts.length === 1) return parts[0] ?? ''
  // A group ends on a newline and not on ";", so that a comment or "&" at the end of a script stays what it was.
  return parts.map((line) => `{ ${line}\n}`).join(' && ')
}

/** Names under which Node.js finds the file that `main` names. */
function candidates(main: string): string[] {
  const path = main.replace(/^\.\//, '').replace(/\/+$/, '')
  return [path, `${path}.js`, `${path}/index.js`]
}

async function hasAnyOf(paths: readonly string[], hasFile: (path: string) => Promise<boolean>): Promise<boolean> {
  for (const path of paths) if (await hasFile(path)) return true
  return false
}

function nodeFile(path: string): ProcessTypePlan {
  const file = /^[\w@%+=:,./][\w@%+=:,./-]*$/.test(path) ? path : `'./${path.replaceAll("'", `'\\''`)}'`
  return { command: `node ${file}`, overlap: true }
}
