import { UserError } from '../../kernel/errors.ts'
import type { Builder, BuildPlan, BuildStep, PlanContext, SourceTree, TreeEntry } from '../builder.ts'
import { chooseNode } from './node-version.ts'
import { lockfileOf, planInstall } from './npm-install.ts'
import { type PackageJson, parsePackageJson } from './package-json.ts'
import { findStart } from './start-command.ts'

/** Node.js with npm. */
export const nodeBuilder: Builder = {
  name: 'node',
  looksFor: 'package.json (Node.js with npm)',
  plan: planNode,
}

async function planNode(tree: SourceTree, context: PlanContext): Promise<BuildPlan | undefined> {
  const entries = new Map((await tree.list('')).map((entry) => [entry.name, entry]))
  if (entries.get('package.json')?.type !== 'file') return undefined
  const text = await tree.read('package.json')
  if (text === undefined) throw new UserError('package_json_invalid', 'package.json is larger than 4 MiB.')
  const json = parsePackageJson(text)
  refuseForeignLockfile(entries)
  const node = await chooseNode(json.nodeRange, context)
  const build = buildStep(json)
  const install = planInstall({
    json,
    entries,
    nodeVersion: node.version,
    platform: context.platform,
    builds: build !== undefined,
  })
  const processes = await processTypes({ tree, json, context, builds: build !== undefined })
  return {
    builder: 'node',
    because: [
      `Node.js app: package.json found.`,
      `Node.js ${node.version}: ${node.because}.`,
      ...processes.because,
      ...install.because,
    ],
    warnings: [...install.warnings, ...warningsAbout(entries)],
    toolchains: [node],
    layers: install.layers,
    steps: [...install.before, ...(build ? [build] : []), ...install.after],
    processTypes: processes.types,
    runEnv: { NODE_ENV: 'production' },
    pathFolders: ['node_modules/.bin'],
  }
}

const foreignLockfiles = { 'yarn.lock': 'Yarn', 'pnpm-lock.yaml': 'pnpm', 'bun.lock': 'Bun', 'bun.lockb': 'Bun' }

function refuseForeignLockfile(entries: ReadonlyMap<string, TreeEntry>): void {
  if (lockfileOf(entries)) return
  for (const [file, owner] of Object.entries(foreignLockfiles)) {
    if (!entries.has(file)) continue
    throw new UserError(
      'lockfile_unsupported',
      `${file} belongs to ${owner}, and Gantry installs with npm. Run "npm install", commit package-lock.json, and remove ${file}.`,
    )
  }
}

function warningsAbout(entries: ReadonlyMap<string, TreeEntry>): string[] {
  if (!entries.has('node_modules')) return []
  return ['node_modules is committed; Gantry installs its own. Remove it from git and add it to .gitignore.']
}

/** `heroku-postbuild` takes the place of `build`, as it does there. */
function buildStep(json: PackageJson): BuildStep | undefined {
  const script = ['heroku-postbuild', 'build'].find((name) => json.scripts[name]?.trim())
  if (!script) return undefined
  return {
    name: `npm run ${script}`,
    command: { kind: 'argv', file: 'npm', args: ['run', script] },
    env: { NODE_ENV: 'production' },
    errorCode: 'build_failed',
  }
}

async function processTypes(facts: {
  tree: SourceTree
  json: PackageJson
  context: PlanContext
  builds: boolean
}): Promise<{ types: BuildPlan['processTypes']; because: string[] }> {
  const { tree, json, context, builds } = facts
  if (context.procfile) {
    return {
      types: context.procfile,
      because: [`Process types from the Procfile: ${Object.keys(context.procfile).join(', ')}.`],
    }
  }
  const start = await findStart(json, (path) => hasFile(tree, path), builds)
  if (start) return { types: { web: start.web }, because: [start.because] }
  throw new UserError(
    'no_process_types',
    'Nothing says how to start this app. Looked for: a Procfile; in package.json a "start" script and "main"; server.js; index.js. Add one of them.',
  )
}

async function hasFile(tree: SourceTree, path: string): Promise<boolean> {
  const slash = path.lastIndexOf('/')
  const entries = await tree.list(path.slice(0, Math.max(slash, 0)))
  return entries.some((entry) => entry.name === path.slice(slash + 1) && entry.type === 'file')
}
