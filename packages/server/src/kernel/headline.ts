/** What a message says before it shows output: its first line, without the words that announce the output. */
export function headline(message: string): string {
  const [first = ''] = message.split('\n', 1)
  return first.replace(/ (?:Its last (?:output|lines)|It said):$/, '')
}
