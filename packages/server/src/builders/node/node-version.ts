import { maxSatisfying, rcompare, satisfies, validRange } from 'semver'
import { UserError } from '../../kernel/errors.ts'
import type { PlanContext, Toolchain } from '../builder.ts'

/** The oldest Node.js that an npm with `npm ci --omit` runs on. */
const oldest = '>=14.17.0'

const npmCommands = { npm: 'node_modules/npm/bin/npm-cli.js', npx: 'node_modules/npm/bin/npx-cli.js' }

/** The Node.js for `engines.node`: the platform's own when it satisfies, else the newest published one that does. */
export async function chooseNode(range: string | undefined, context: PlanContext): Promise<Toolchain> {
  const own = context.ownNode.version
  if (range === undefined) return ownNode(own, "the platform's own; package.json has no engines.node")
  if (validRange(range) === null) {
    throw new UserError(
      'unsupported_version',
      `package.json: engines.node is "${range}", which is not a version range. Write for example "${own.split('.')[0]}.x".`,
    )
  }
  if (satisfies(own, range)) return ownNode(own, `the platform's own; it satisfies engines.node "${range}"`)
  const npmPackage = `node-${context.platform}`
  const published = (await context.publishedVersions(npmPackage)).filter((version) => satisfies(version, oldest))
  const version = maxSatisfying(published, range)
  if (version === null) throw unsupported(range, published)
  return {
    name: 'node',
    version,
    because: `the newest release that satisfies engines.node "${range}" in package.json`,
    npmPackages: [`${npmPackage}@${version}`, `npm@${npmFor(version, context.ownNode.npmVersion)}`],
    commands: { node: `node_modules/${npmPackage}/bin/node`, ...npmCommands },
  }
}

function ownNode(version: string, because: string): Toolchain {
  return { name: 'node', version, because, npmPackages: [], commands: {} }
}

/** The newest npm that runs on a version of Node.js, by the `engines` of npm's own releases. */
function npmFor(nodeVersion: string, newest: string): string {
  if (satisfies(nodeVersion, '^20.17.0 || >=22.9.0')) return newest
  if (satisfies(nodeVersion, '^18.17.0 || >=20.5.0')) return '10.9.4'
  return '9.9.4'
}

function unsupported(range: string, published: readonly string[]): UserError {
  const newestByMajor = new Map<string, string>()
  for (const version of [...published].sort(rcompare)) {
    const major = version.split('.')[0] ?? version
    if (!newestByMajor.has(major)) newestByMajor.set(major, version)
  }
  const available = [...newestByMajor].map(([major, version]) => `${major} (up to ${version})`).join(', ')
  return new UserError(
    'unsupported_version',
    `package.json asks for Node.js "${range}" (engines.node), and no published release satisfies it. Available: ${available}.`,
  )
}
