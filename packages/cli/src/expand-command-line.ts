import type { CommandDefinition } from './command.ts'

/**
 * The words of a command line with what people leave out: nothing at all is `--help`, `help deploys` is `deploys --help`,
 * and a group by itself (`deploys`, `deploys --app shop`) is its `list`.
 */
export function expandCommandLine(
  words: readonly string[],
  definitions: readonly CommandDefinition[],
): readonly string[] {
  const [first, second] = words
  if (first === undefined) return ['--help']
  if (first === 'help') return helpFor(words.slice(1), definitions)
  const hasList = definitions.some(({ path }) => path.length === 2 && path[0] === first && path[1] === 'list')
  const isAlone = second === undefined || (second.startsWith('-') && second !== '--help' && second !== '-h')
  return hasList && isAlone ? [first, 'list', ...words.slice(1)] : words
}

/** A name that is none is left for the parser to refuse. */
function helpFor(names: readonly string[], definitions: readonly CommandDefinition[]): readonly string[] {
  const isKnown = definitions.some(({ path }) => names.every((name, index) => path[index] === name))
  return isKnown ? [...names, '--help'] : names
}
