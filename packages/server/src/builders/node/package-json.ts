import { UserError } from '../../kernel/errors.ts'
import { findJsonFault } from './json-position.ts'

type Texts = Readonly<Record<string, string>>

/** What the builder reads of a package.json. */
export interface PackageJson {
  readonly scripts: Texts
  readonly main?: string
  /** `engines.node`. */
  readonly nodeRange?: string
  readonly dependencies: Texts
  readonly devDependencies: Texts
  readonly optionalDependencies: Texts
  readonly peerDependencies: Texts
  readonly hasWorkspaces: boolean
  /** Every field that decides what npm installs, in a fixed order, as text. */
  readonly installFields: string
}

/** Fields of package.json that npm looks at when it installs. */
const installFieldNames = [
  'name',
  'dependencies',
  'devDependencies',
  'optionalDependencies',
  'peerDependencies',
  'peerDependenciesMeta',
  'bundleDependencies',
  'bundledDependencies',
  'overrides',
  'engines',
  'devEngines',
  'os',
  'cpu',
  'libc',
  'packageManager',
  'allowScripts',
] as const

/** Throws `UserError` `package_json_invalid` with line and column, or with the field that has the wrong type. */
export function parsePackageJson(source: string): PackageJson {
  const text = source.replace(/^\uFEFF/, '')
  const fault = findJsonFault(text)
  if (fault) {
    throw invalid(`package.json is not JSON: line ${fault.line}, column ${fault.column}: ${fault.message}.`)
  }
  const json: unknown = JSON.parse(text)
  if (!isObject(json)) throw invalid('package.json must hold an object.')
  const main = optionalText(json.main, 'main')
  const engines = json.engines === undefined ? {} : json.engines
  if (!isObject(engines)) throw invalid('package.json: "engines" must be an object.')
  const nodeRange = optionalText(engines.node, 'engines.node')
  return {
    scripts: texts(json, 'scripts'),
    dependencies: texts(json, 'dependencies'),
    devDependencies: texts(json, 'devDependencies'),
    optionalDependencies: texts(json, 'optionalDependencies'),
    peerDependencies: texts(json, 'peerDependencies'),
    hasWorkspaces: json.workspaces !== undefined,
    installFields: JSON.stringify(installFieldNames.map((name) => sorted(json[name]) ?? null)),
    ...(main !== undefined && { main }),
    ...(nodeRange !== undefined && { nodeRange }),
  }
}

function invalid(message: string): UserError {
  return new UserError('package_json_invalid', message)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function optionalText(value: unknown, field: string): string | undefined {
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value !== 'string') throw invalid(`package.json: "${field}" must be text.`)
  return value
}

function texts(json: Record<string, unknown>, field: string): Texts {
  const value = json[field] ?? {}
  if (!isObject(value)) throw invalid(`package.json: "${field}" must be an object.`)
  for (const [name, text] of Object.entries(value)) {
    if (typeof text !== 'string') throw invalid(`package.json: "${field}"."${name}" must be text.`)
  }
  return value as Texts
}

/** The same value with the names of every object in order, so that reordering a file changes no key. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((name) => [name, sorted(value[name])]),
  )
}
