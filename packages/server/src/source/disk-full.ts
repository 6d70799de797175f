/** Whether git's words (`strerror` in the C locale) say that nothing more can be written. */
export function isDiskFull(words: string): boolean {
  return /No space left on device|Disk quota exceeded/.test(words)
}
