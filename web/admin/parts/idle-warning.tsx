import type { JSX } from 'preact'
import { secondsLeft } from '../../shared/deadlines.ts'
import { Dialog } from '../../shared/dialog.tsx'
import { text } from '../text.ts'

type Props = { idleAt: number; now: number; onStay: () => void; onLeave: () => void }

const words = text.idle
const left = (seconds: number): string =>
  seconds >= 120 ? text.units.minute(Math.floor(seconds / 60)) : text.units.second(seconds)

/** The warning before the log-off. The visible seconds count down; a screen reader hears them every half minute. */
export const IdleWarning = ({ idleAt, now, onStay, onLeave }: Props): JSX.Element => {
  const seconds = secondsLeft(idleAt, now)
  return (
    <Dialog title={words.title} close={onStay} closeLabel={words.close}>
      <p aria-hidden="true">{words.text(left(seconds))}</p>
      <p class="unseen" role="status">
        {words.text(left(Math.ceil(seconds / 30) * 30))}
      </p>
      <div class="dialog-actions">
        <button type="button" class="main" onClick={onStay}>
          {words.stay}
        </button>
        <button type="button" class="plain" onClick={onLeave}>
          {text.signOut}
        </button>
      </div>
    </Dialog>
  )
}
