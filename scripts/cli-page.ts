/** docs/reference/cli.md, from the definitions that the command line itself is made of. */
import type { CommandDefinition } from '../packages/cli/src/command.ts'
import { sections } from '../packages/cli/src/commands/index.ts'
import { optionsOf } from '../packages/cli/src/create-program.ts'
import { exitCodes } from '../packages/cli/src/exit-codes.ts'

const exitCodesInWords: Readonly<Record<keyof typeof exitCodes, string>> = {
  ok: 'it was done',
  failed: 'what was asked for was tried and failed: a deploy, a build; or the platform has a fault',
  usage: 'the command line, or what was sent, is not as it has to be',
  denied: 'not signed in, or not permitted',
  notFound: 'there is no such thing',
  conflict: 'the name is taken, or the state does not allow it',
  unreachable: 'the platform does not answer',
  interrupted: 'ended by Ctrl-C',
}

export function cliPage(): string {
  return [
    '<!-- Made by scripts/generate-docs.ts. Edit the definitions in packages/cli/src/commands instead. -->',
    '# The command line',
    introduction,
    exitCodesTable(),
    ...sections.flatMap(({ title, commands }) => [
      `## ${title}`,
      ...commands.map(({ definition }) => commandSection(definition)),
    ]),
    '',
  ].join('\n\n')
}

const introduction = `\`gantry COMMAND --help\` says the same as this page. A group alone is its list: \`gantry deploys\` is \`gantry deploys list\`.

Which platform: \`GANTRY_URL\`, else the one of \`gantry login\`, else the one on this machine. Who asks: \`GANTRY_TOKEN\`, else the login, else the owner's token of this machine. Where \`GANTRY_HOME\` is set, the platform over that home is meant. Which app: \`--app\`, else that of the git remote \`gantry\` of this folder. Which environment: \`--env\`, else \`production\`.

With \`--json\` a command prints what the API answers, and errors as JSON on standard error. What can be used further (lists, values, tokens) goes to standard output, everything else to standard error. There is no colour when the output is not a terminal or \`NO_COLOR\` is set.`

function exitCodesTable(): string {
  const rows = Object.entries(exitCodes).map(([name, code]) => {
    return `| ${code} | ${exitCodesInWords[name as keyof typeof exitCodes]} |`
  })
  return `| exit code | |\n|---|---|\n${rows.join('\n')}`
}

function commandSection(definition: CommandDefinition): string {
  const { path, summary, description } = definition
  const inputs = { ...definition.arguments, ...optionsOf(definition) }
  const usage = ['gantry', ...path, ...Object.keys(definition.arguments ?? {}), '[options]'].join(' ')
  return [
    `### gantry ${path.join(' ')}`,
    [`${summary}.`, description].filter(Boolean).join(' '),
    `\`\`\`\n${usage}\n\`\`\``,
    Object.entries(inputs)
      .map(([notation, meaning]) => `- \`${notation}\` ${meaning}`)
      .join('\n'),
    `Examples:\n\n${definition.examples.map(([line, does]) => `- \`${line}\`: ${does}`).join('\n')}`,
  ].join('\n\n')
}
