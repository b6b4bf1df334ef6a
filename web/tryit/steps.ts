import type { Item } from '../shared/conversation/item.ts'

export type StepName = 'write' | 'tap' | 'prove' | 'answer' | 'see'
export const stepNames: StepName[] = ['write', 'tap', 'prove', 'answer', 'see']

/** The bridge's marks on a clinician's message, in the order in which they come (core/domain/care/notice.ts). */
export const markWords: Record<string, string> = {
  '📤': 'text sent',
  '📱': 'on the telephone',
  '👀': 'link opened',
  '🔓': 'identity confirmed',
  '⚠️': 'not reached',
  '⌛': 'link expired',
  '🔁': 'could not be opened, please send again',
}
const order = Object.keys(markWords)

/** Marks with their meaning in words, earliest first. */
export const wordedMarks = (reactions: string[]): string[] =>
  reactions
    .toSorted((a, b) => order.indexOf(a) - order.indexOf(b))
    .map(key => (markWords[key] ? `${key} ${markWords[key]}` : key))

/**
 * How far the story has come, read from the room itself: the bridge's marks on the clinician's messages and the patient's answer. `seen` is the last message
 * of others that was on this screen. A plain text from the telephone is no step: it did not go through the page.
 */
export const stepsDone = (items: Item[], me: string, seen: string | null): Set<StepName> => {
  const first = items.findIndex(item => isMine(item, me) && (item.mark === 'sent' || item.mark === 'read'))
  if (first < 0) return new Set()
  const marks = new Set(items.filter(item => isMine(item, me)).flatMap(item => item.reactions ?? []))
  const answers = items.slice(first).filter(item => item.sender !== me && !item.automatic && !item.bySms)
  const done = new Set<StepName>(['write'])
  if (marks.has('👀') || marks.has('🔓')) done.add('tap')
  if (marks.has('🔓')) done.add('prove')
  if (answers.length > 0) done.add('tap').add('prove').add('answer')
  const upTo = items.findIndex(item => item.id === seen)
  const closed = ({ content }: Item) => content.kind === 'opening' || content.kind === 'unreadable'
  if (answers.some(item => items.indexOf(item) <= upTo && !closed(item))) done.add('see')
  return done
}

/** The conversation's parts give a patient's plain text to the reader; here the reader is the clinician. */
const isMine = (item: Item, me: string): boolean => item.sender === me && !item.bySms

/** The clinician's last message, as they wrote it. */
export const lastOwn = (items: Item[], me: string): Item | undefined => items.findLast(item => isMine(item, me))

/** The text could not reach the patient, e.g. because they answered STOP. */
export const notReached = (items: Item[], me: string): boolean => lastOwn(items, me)?.reactions?.includes('⚠️') ?? false
