/**
 * Lints the API's document: IBM's validator with its scores, Redocly, Spectral's rules and our own (api-rules/). Prints
 * what they find and exits 1 unless that is nothing and all scores are 100. Needs no network.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openapiText } from '@gantry/api'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const rules = join(root, 'scripts/api-rules')

export interface LintResult {
  /** One line each: linter, rule, place, message. */
  readonly findings: readonly string[]
  /** Out of 100, by IBM's category. */
  readonly scores: Readonly<Record<string, number>>
}

/** Runs all linters over a document, given as JSON text. */
export async function lintApi(document: string): Promise<LintResult> {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-lint-api-'))
  try {
    const file = join(folder, 'openapi.json')
    await writeFile(file, document)
    const [ibm, redocly, spectral] = await Promise.all([lintAsIbm(file), lintAsRedocly(file), lintAsSpectral(file)])
    return { findings: [...ibm.findings, ...redocly, ...spectral], scores: ibm.scores }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

export const scoreCategories = ['usability', 'security', 'robustness', 'evolution'] as const

async function lintAsIbm(file: string): Promise<LintResult> {
  const report = parseReport(
    await run('ibm-openapi-validator', 'lint-openapi', ['-w', '0', '-q', '-j', file], file),
  ) as {
    readonly [severity in 'error' | 'warning' | 'info' | 'hint']: { readonly results: readonly IbmFinding[] }
  } & { readonly impactScore: { readonly categorizedSummary: Record<string, number> } }
  const findings = (['error', 'warning', 'info', 'hint'] as const).flatMap((severity) =>
    report[severity].results.map(({ rule, path, message }) => `ibm ${severity} ${rule} ${path.join('.')}: ${message}`),
  )
  return { findings, scores: report.impactScore.categorizedSummary }
}

interface IbmFinding {
  readonly rule: string
  readonly path: readonly string[]
  readonly message: string
}

async function lintAsRedocly(file: string): Promise<string[]> {
  const args = ['lint', `--config=${join(rules, 'redocly.yaml')}`, '--format=json', '--max-problems=1000', file]
  const report = parseReport(await run('@redocly/cli', 'redocly', args, file)) as {
    readonly problems: readonly {
      readonly ruleId: string
      readonly severity: string
      readonly message: string
      readonly location: readonly { readonly pointer?: string }[]
    }[]
  }
  return report.problems.map(
    ({ ruleId, severity, message, location }) =>
      `redocly ${severity} ${ruleId} ${location[0]?.pointer ?? ''}: ${message}`,
  )
}

/** Spectral alone, with its rules and ours: what a test of the rules themselves needs. */
export async function lintAsSpectral(file: string): Promise<string[]> {
  const args = [
    'lint',
    '--ruleset',
    join(rules, 'spectral.yaml'),
    '--format=json',
    '--quiet',
    '--fail-severity=hint',
    file,
  ]
  const report = parseReport(await run('@stoplight/spectral-cli', 'spectral', args, file)) as readonly {
    readonly code: string
    readonly severity: number
    readonly path: readonly string[]
    readonly message: string
  }[]
  return report.map(({ code, severity, path, message }) => `spectral ${severity} ${code} ${path.join('.')}: ${message}`)
}

interface Ran {
  readonly name: string
  readonly stdout: string
  readonly stderr: string
}

/** Runs a linter's own JavaScript with this Node, beside the file, so that no configuration of a folder above is read. */
async function run(packageName: string, binary: string, args: readonly string[], file: string): Promise<Ran> {
  const folder = join(root, 'node_modules', packageName)
  const { bin } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
    readonly bin: Record<string, string>
  }
  const script = join(folder, bin[binary] ?? '')
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true', NO_COLOR: '1' }
  return await new Promise((resolve) => {
    execFile(
      process.execPath,
      [script, ...args],
      { cwd: dirname(file), env, maxBuffer: 1 << 28 },
      (_error, stdout, stderr) => resolve({ name: binary, stdout, stderr }),
    )
  })
}

/** The JSON that a linter printed; some print a line before it. */
function parseReport({ name, stdout, stderr }: Ran): unknown {
  const from = stdout.search(/^[[{]/m)
  try {
    return JSON.parse(stdout.slice(Math.max(from, 0)))
  } catch (cause) {
    throw new Error(`${name} gave no report:\n${stdout.slice(0, 2000)}\n${stderr.slice(0, 2000)}`, { cause })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { findings, scores } = await lintApi(openapiText())
  for (const finding of findings) console.log(finding)
  const figures = scoreCategories.map((category) => `${category} ${scores[category]}`).join(', ')
  console.log(`${findings.length} findings; ${figures}`)
  if (findings.length > 0 || scoreCategories.some((category) => scores[category] !== 100)) process.exitCode = 1
}
