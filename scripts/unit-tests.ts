/** Which test files need no server: they and what they import reach neither a database nor a supervisor. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

const servers = [
  'packages/server/test/support/postgres.ts',
  'packages/server/src/supervisor/test-supervisor.fixture.ts',
]

/** Paths relative to `root`, sorted. */
export function unitTests(root: string): string[] {
  const reached = new Map<string, ReadonlySet<string>>()
  return globSync('packages/*/src/**/*.test.ts', { cwd: root })
    .filter((file) => !servers.some((server) => reach(root, file, reached).has(server)))
    .sort()
}

/** Every file that a file imports at run time, by relative paths, itself included. */
function reach(root: string, file: string, reached: Map<string, ReadonlySet<string>>): ReadonlySet<string> {
  const known = reached.get(file)
  if (known) return known
  const found = new Set([file])
  reached.set(file, found) // a cycle ends here
  for (const target of importsOf(join(root, file))) {
    const path = normalize(join(dirname(file), target))
    if (existsSync(join(root, path))) for (const each of reach(root, path, reached)) found.add(each)
  }
  return found
}

function importsOf(path: string): string[] {
  const imports = /^(?:import|export)(?! type\b)[^'"]*?from '(\.[^']+)'|^import '(\.[^']+)'/gm
  return [...readFileSync(path, 'utf8').matchAll(imports)].map((match) => match[1] ?? match[2] ?? '')
}
