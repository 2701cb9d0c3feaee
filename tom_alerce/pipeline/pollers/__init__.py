"""What brokers are asked in the background: one module for each action, whose ``step`` does a bounded piece of one task and never waits.

The queue (`tom_alerce.store.poll_tasks`) remembers everything between two steps; `tom_alerce.pipeline.pollers.queue` runs them.
"""
