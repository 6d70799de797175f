import type { BuildStep, LayerPlan, TreeEntry } from '../builder.ts'
import type { PackageJson } from './package-json.ts'

/** How the dependencies get in: in layers that are reused, or in the tree itself, or not at all. */
export interface InstallPlan {
  readonly layers: readonly LayerPlan[]
  /** Run in the tree before the build script, and after it. */
  readonly before: readonly BuildStep[]
  readonly after: readonly BuildStep[]
  readonly because: readonly string[]
  readonly warnings: readonly string[]
}

export interface InstallFacts {
  readonly json: PackageJson
  /** The entries of the app's root. */
  readonly entries: ReadonlyMap<string, TreeEntry>
  readonly nodeVersion: string
  readonly platform: string
  /** Whether a build script runs, which needs the development dependencies. */
  readonly builds: boolean
}

/** Scripts of the root package that npm runs when it installs. */
const installScripts = [
  'preinstall',
  'install',
  'postinstall',
  'prepublish',
  'preprepare',
  'prepare',
  'postprepare',
  'dependencies',
] as const

/** Packages whose commands write code into node_modules, which a read-only layer cannot take. */
const generators = ['@prisma/client', 'prisma'] as const

export function planInstall(facts: InstallFacts): InstallPlan {
  const { json, entries } = facts
  const runs = { ...json.dependencies, ...json.optionalDependencies, ...json.peerDependencies }
  const hasRun = Object.keys(runs).length > 0
  const hasDevelopment = Object.keys(json.devDependencies).length > 0
  const reason = reasonForTree(facts)
  const lockfile = lockfileOf(entries)
  const warnings = lockfile
    ? []
    : [
        'There is no package-lock.json, so every machine may get other versions. Run "npm install" and commit the lockfile.',
      ]
  if (!reason && !hasRun && !(facts.builds && hasDevelopment)) {
    return { layers: [], before: [], after: [], because: ['There are no dependencies to install.'], warnings: [] }
  }
  const plan = reason ? installInTree(facts, reason) : installInLayers(facts, { hasRun, hasDevelopment })
  return { ...plan, warnings }
}

/** `npm-shrinkwrap.json` wins, as it does with npm. */
export function lockfileOf(entries: ReadonlyMap<string, TreeEntry>): string | undefined {
  return ['npm-shrinkwrap.json', 'package-lock.json'].find((name) => entries.get(name)?.type === 'file')
}

/** Why a layer will not do: what is installed depends on more of the tree than a key can hold. */
function reasonForTree({ json, entries }: InstallFacts): string | undefined {
  if (json.hasWorkspaces) return 'package.json has workspaces'
  const all = { ...json.dependencies, ...json.devDependencies, ...json.optionalDependencies, ...json.peerDependencies }
  for (const [name, spec] of Object.entries(all)) {
    if (/^(?:file:|link:|workspace:|\.{0,2}\/|~\/|\.{1,2}$)/.test(spec)) return `${name} comes from a folder (${spec})`
  }
  const script = installScripts.find((name) => json.scripts[name]?.trim() && !isPatching(json, json.scripts[name]))
  if (script) return `package.json has a "${script}" script`
  if (entries.has('binding.gyp')) return 'binding.gyp makes npm compile the package'
  const generator = generators.find((name) => name in all)
  return generator && `${generator} writes code into node_modules`
}

/** `patch-package` needs nothing but `patches/`, which is part of the layer's key. */
function isPatching(json: PackageJson, line: string): boolean {
  return line.trim() === 'patch-package' && 'patch-package' in json.dependencies
}

function installInLayers(
  facts: InstallFacts,
  has: { hasRun: boolean; hasDevelopment: boolean },
): Omit<InstallPlan, 'warnings'> {
  const layers: LayerPlan[] = []
  const needsSecond = facts.builds && has.hasDevelopment
  if (has.hasRun) layers.push(layer(facts, 'omit', facts.builds && !needsSecond ? 'both' : 'run'))
  if (needsSecond) layers.push(layer(facts, 'include', 'build'))
  return { layers, before: [], after: [], because: [] }
}

function layer(facts: InstallFacts, development: 'omit' | 'include', during: LayerPlan['during']): LayerPlan {
  const lockfile = lockfileOf(facts.entries)
  const files = ['package.json', lockfile, '.npmrc', 'patches'].filter(
    (name) => name && facts.entries.has(name),
  ) as string[]
  const inputs = files.slice(1).map((name) => `${name} ${facts.entries.get(name)?.oid}`)
  return {
    name: 'node_modules',
    during,
    files,
    key: [
      'npm layer 1',
      `${development} dev`,
      `node ${facts.nodeVersion}`,
      facts.platform,
      facts.json.installFields,
      JSON.stringify(installScripts.map((name) => facts.json.scripts[name] ?? null)),
      ...inputs,
    ],
    steps: [npmInstall(lockfile, development, '--no-package-lock')],
  }
}

function installInTree(facts: InstallFacts, reason: string): Omit<InstallPlan, 'warnings'> {
  const because = [`Dependencies are installed anew in every build, because ${reason}.`]
  const prune: BuildStep = {
    name: 'npm prune --omit=dev',
    command: { kind: 'argv', file: 'npm', args: ['prune', '--omit=dev', '--ignore-scripts', ...quiet] },
    env: {},
    errorCode: 'dependency_install_failed',
  }
  const hasDevelopment = Object.keys(facts.json.devDependencies).length > 0
  const needsPrune = hasDevelopment || facts.json.hasWorkspaces
  const install = npmInstall(lockfileOf(facts.entries), needsPrune ? 'include' : 'omit')
  return { layers: [], before: [install], after: needsPrune ? [prune] : [], because }
}

const quiet = ['--no-audit', '--no-fund', '--no-progress']

function npmInstall(lockfile: string | undefined, development: 'omit' | 'include', ...extra: string[]): BuildStep {
  const flag = `--${development}=dev`
  const verb = lockfile ? ['ci', flag] : ['install', flag, ...extra]
  return {
    name: ['npm', ...verb].join(' '),
    command: { kind: 'argv', file: 'npm', args: [...verb, ...quiet] },
    env: {},
    errorCode: 'dependency_install_failed',
    failures: [
      { output: /can only install packages when your package\.json and .* are in sync/, errorCode: 'lockfile_invalid' },
      { output: /can only install with an existing package-lock\.json/, errorCode: 'lockfile_invalid' },
      { output: /\bEJSONPARSE\b/, errorCode: 'lockfile_invalid' },
    ],
  }
}
