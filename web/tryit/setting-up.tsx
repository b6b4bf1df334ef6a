import type { JSX } from 'preact'

export type SetupStep = { text: string; command?: string }

/** What the page does by itself before anything can be written: a line each, with the command that it sends. */
export const SettingUp = ({ steps }: { steps: SetupStep[] }): JSX.Element => (
  <div class="setting-up">
    <h3>Setting up your patient…</h3>
    <p class="hint">This page does what a clinician does with any Matrix client. The first time takes a few seconds.</p>
    <ol class="steps" aria-live="polite" aria-label="Setting up">
      {steps.map(({ text, command }, index) => (
        <li key={text} class={index === steps.length - 1 ? 'now' : 'done'}>
          <span class="dot" aria-hidden="true" />
          <span>
            {text}
            {command ? <code>{command}</code> : null}
          </span>
        </li>
      ))}
    </ol>
  </div>
)

export type Stuck = { why: 'nobody' } | { why: 'ended' } | { why: 'failed'; message: string }

/** Why the clinician's side cannot be played, and what to do. */
export const StuckCard = ({ stuck }: { stuck: Stuck }): JSX.Element => {
  const again = (
    <button type="button" class="main" onClick={() => location.reload()}>
      Load the page again
    </button>
  )
  switch (stuck.why) {
    case 'nobody':
      return (
        <div class="stuck" role="alert">
          <h3>Both demo clinicians are used in another client</h3>
          <p>
            Somebody set up drlee and nurse_kim in Element or another client. This page never replaces what a person set
            up, and without their recovery key it cannot join them.
          </p>
          <p>
            Play the clinician in that client, with the telephone beside it; or start a second installation with a
            folder of its own:
          </p>
          <p>
            <code>npm start -- --data another-folder</code>
          </p>
        </div>
      )
    case 'ended':
      return (
        <div class="stuck" role="alert">
          <h3>This page is open in another window</h3>
          <p>Only one at a time is signed in.</p>
          {again}
        </div>
      )
    case 'failed':
      return (
        <div class="stuck" role="alert">
          <h3>The clinician’s side could not start</h3>
          <p>{stuck.message}</p>
          {again}
        </div>
      )
  }
}
