from chassis.jobs.maintenance import maintenance
from chassis.jobs.rows import JobCancelled, JobMixin, Jobs, LeaseLost
from chassis.jobs.runner import JobRunner, Progress

__all__ = ["JobCancelled", "JobMixin", "JobRunner", "Jobs", "LeaseLost", "Progress", "maintenance"]
