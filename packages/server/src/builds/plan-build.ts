import type { BuildPlan, SourceTree } from '../builders/builder.ts'
import { UserError } from '../kernel/errors.ts'
import type { BuildsDeps } from './builds-deps.ts'
import { parseProcfile } from './procfile.ts'

/** The plan of the first builder that recognises the tree. Throws `UserError` `no_builder` with what was looked for. */
export async function planBuild(
  deps: Pick<BuildsDeps, 'builders' | 'platform' | 'node' | 'publishedVersions'>,
  source: { tree: SourceTree; root: string; buildConfig: Readonly<Record<string, string>> },
): Promise<BuildPlan> {
  const procfile = await readProcfile(source.tree)
  for (const builder of deps.builders) {
    const plan = await builder.plan(source.tree, {
      buildConfig: source.buildConfig,
      platform: deps.platform,
      ownNode: deps.node,
      publishedVersions: deps.publishedVersions,
      ...(procfile && { procfile }),
    })
    if (plan) return plan
  }
  return await nothingRecognised(deps, source)
}

async function readProcfile(tree: SourceTree) {
  const entry = (await tree.list('')).find(({ name }) => name === 'Procfile')
  if (entry?.type !== 'file') return undefined
  const text = await tree.read('Procfile')
  if (text === undefined) throw new UserError('procfile_invalid', 'Procfile: it is larger than 4 MiB.')
  return parseProcfile(text)
}

async function nothingRecognised(
  deps: Pick<BuildsDeps, 'builders'>,
  source: { tree: SourceTree; root: string },
): Promise<never> {
  const where = source.root === '' ? 'the root of the repository' : `the app's root folder "${source.root}"`
  const entries = await source.tree.list('')
  const there = entries.slice(0, 10).map(({ name }) => name)
  const found =
    there.length === 0 ? 'It is empty or missing' : `It has ${there.join(', ')}${entries.length > 10 ? ', …' : ''}`
  throw new UserError(
    'no_builder',
    `No builder recognised the source. Looked in ${where} for: ${deps.builders.map((builder) => builder.looksFor).join('; ')}. ${found}.`,
  )
}
