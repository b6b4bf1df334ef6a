import type { Item } from '../shared/conversation/item.ts'

export type StepName = 'write' | 'tap' | 'prove' | 'answer'
export const stepNames: StepName[] = ['write', 'tap', 'prove', 'answer']

const opened = ['👀', '🔓']

/** How far the story has come, read from the room itself: the bridge's marks on the clinician's message, and the patient's answer after it. */
export const stepsDone = (items: Item[], me: string): Set<StepName> => {
  const wrote = items.findLastIndex(item => item.sender === me && item.mark !== 'failed' && item.mark !== 'sending')
  if (wrote < 0) return new Set()
  const mine = items.filter(item => item.sender === me)
  const marks = new Set(mine.flatMap(item => item.reactions ?? []))
  const done = new Set<StepName>(['write'])
  if (opened.some(mark => marks.has(mark))) done.add('tap')
  if (marks.has('🔓') || mine.some(item => item.mark === 'read')) done.add('tap').add('prove')
  const first = items.findIndex(item => item.sender === me)
  if (items.slice(first).some(item => item.sender !== me && item.automatic !== true && item.content.kind !== 'opening'))
    done.add('tap').add('prove').add('answer')
  return done
}
