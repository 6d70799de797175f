export const root: string
export function ensureInstalled(): Promise<void>
export function findNode(): string
export function environment(more?: Readonly<Record<string, string>>): Record<string, string>
export function run(file: string, args: readonly string[], env?: Readonly<Record<string, string>>): Promise<number>
