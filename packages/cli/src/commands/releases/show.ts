import type { Input } from '../../command.ts'
import type { Context } from '../../context.ts'
import { findRelease } from '../../find-release.ts'
import { printFacts } from '../../output/facts.ts'
import { reasonOf } from './list.ts'

export async function run(context: Context, input: Input): Promise<void> {
  const release = await findRelease(context, input.arguments[0])
  const { terminal } = context
  if (context.isJson) return terminal.json(release)
  terminal.print(
    `${terminal.style('bold', release.name)}${release.is_live ? `  ${terminal.style('green', 'live')}` : ''}`,
  )
  const processes = Object.entries(release.process_types)
  printFacts(terminal, [
    ['id', release.id],
    ['app', `${release.app.name}, ${release.environment.name}`],
    ['what', reasonOf(release)],
    ['commit', release.commit_sha],
    ['artifact', release.artifact_digest],
    ['by', `${release.created_by}, ${release.created_at}`],
    ...processes.map(([type, { command, overlap }]): [string, string] => [
      type,
      overlap ? command : `${command}  (one at a time)`,
    ]),
  ])
}
