package jobs

import "time"

// The agent SDK's interface, name by name, except for Job, JobExecution and the statuses: shorthand for Register and
// a pool's other methods. Register offers new code more, with a trigger and options.

// RegisterSingleRunJob registers a job that executes once, see [Once].
func (p *Pool) RegisterSingleRunJob(newJob Job) (string, error) {
	return p.Register(newJob, Once())
}

// RegisterSingleRunJobWithName registers a job that executes once, see [Once], with a name.
func (p *Pool) RegisterSingleRunJobWithName(newJob Job, name string) (string, error) {
	return p.Register(newJob, Once(), WithName(name))
}

// RegisterRetryJob registers a job that executes until it succeeds, at most retries times in all, see [Retry].
func (p *Pool) RegisterRetryJob(newJob Job, retries int) (string, error) {
	return p.Register(newJob, Retry(retries))
}

// RegisterRetryJobWithName registers a job that executes until it succeeds, at most retries times in all, see [Retry], with a name.
func (p *Pool) RegisterRetryJobWithName(newJob Job, retries int, name string) (string, error) {
	return p.Register(newJob, Retry(retries), WithName(name))
}

// RegisterIntervalJob registers a job that executes repeatedly, see [Every].
func (p *Pool) RegisterIntervalJob(newJob Job, interval time.Duration, opts ...JobOption) (string, error) {
	return p.Register(newJob, Every(interval), opts...)
}

// RegisterIntervalJobWithName registers a job that executes repeatedly, see [Every], with a name.
func (p *Pool) RegisterIntervalJobWithName(newJob Job, interval time.Duration, name string, opts ...JobOption) (string, error) {
	return p.Register(newJob, Every(interval), append([]JobOption{WithName(name)}, opts...)...)
}

// RegisterDetachedIntervalJob registers an interval job detached from the pool, see [Every] and [Detached].
func (p *Pool) RegisterDetachedIntervalJob(newJob Job, interval time.Duration, opts ...JobOption) (string, error) {
	return p.Register(newJob, Every(interval), append([]JobOption{Detached()}, opts...)...)
}

// RegisterDetachedIntervalJobWithName registers an interval job detached from the pool, see [Every] and [Detached], with a name.
func (p *Pool) RegisterDetachedIntervalJobWithName(newJob Job, interval time.Duration, name string, opts ...JobOption) (string, error) {
	return p.Register(newJob, Every(interval), append([]JobOption{Detached(), WithName(name)}, opts...)...)
}

// RegisterScheduledJob registers a job that executes on a cron schedule, see [Cron].
func (p *Pool) RegisterScheduledJob(newJob Job, schedule string, opts ...JobOption) (string, error) {
	return p.Register(newJob, Cron(schedule), opts...)
}

// RegisterScheduledJobWithName registers a job that executes on a cron schedule, see [Cron], with a name.
func (p *Pool) RegisterScheduledJobWithName(newJob Job, schedule, name string, opts ...JobOption) (string, error) {
	return p.Register(newJob, Cron(schedule), append([]JobOption{WithName(name)}, opts...)...)
}

// RegisterChannelJob registers a job that executes until it is told to stop, see [Channel].
func (p *Pool) RegisterChannelJob(newJob Job, stopChan chan interface{}) (string, error) {
	return p.Register(newJob, Channel(stopChan))
}

// RegisterChannelJobWithName registers a job that executes until it is told to stop, see [Channel], with a name.
func (p *Pool) RegisterChannelJobWithName(newJob Job, stopChan chan interface{}, name string) (string, error) {
	return p.Register(newJob, Channel(stopChan), WithName(name))
}

// RegisterDetachedChannelJob registers a channel job detached from the pool, see [Channel] and [Detached].
func (p *Pool) RegisterDetachedChannelJob(newJob Job, stopChan chan interface{}) (string, error) {
	return p.Register(newJob, Channel(stopChan), Detached())
}

// RegisterDetachedChannelJobWithName registers a channel job detached from the pool, see [Channel] and [Detached], with a name.
func (p *Pool) RegisterDetachedChannelJobWithName(newJob Job, stopChan chan interface{}, name string) (string, error) {
	return p.Register(newJob, Channel(stopChan), Detached(), WithName(name))
}

// GetJob returns the job with that id, or nil if there is none.
func (p *Pool) GetJob(id string) JobExecution {
	if j := p.registry.get(id); j != nil {
		return j
	}
	return nil
}

// GetJobStatus returns the status of the job with that id as a word, or "" if there is none.
func (p *Pool) GetJobStatus(id string) string {
	if j := p.registry.get(id); j != nil {
		return j.status().String()
	}
	return ""
}

// GetStatus returns the status of the pool as a word.
func (p *Pool) GetStatus() string { return p.state().status().String() }

// The functions that follow are those of the default pool.

// RegisterSingleRunJob registers a job that executes once, see [Once]. It uses the default pool.
func RegisterSingleRunJob(newJob Job) (string, error) {
	return DefaultPool().RegisterSingleRunJob(newJob)
}

// RegisterSingleRunJobWithName registers a job that executes once, see [Once], with a name. It uses the default pool.
func RegisterSingleRunJobWithName(newJob Job, name string) (string, error) {
	return DefaultPool().RegisterSingleRunJobWithName(newJob, name)
}

// RegisterRetryJob registers a job that executes until it succeeds, at most retries times in all, see [Retry]. It uses the default pool.
func RegisterRetryJob(newJob Job, retries int) (string, error) {
	return DefaultPool().RegisterRetryJob(newJob, retries)
}

// RegisterRetryJobWithName registers a job that executes until it succeeds, at most retries times in all, see [Retry], with a name. It uses the default pool.
func RegisterRetryJobWithName(newJob Job, retries int, name string) (string, error) {
	return DefaultPool().RegisterRetryJobWithName(newJob, retries, name)
}

// RegisterIntervalJob registers a job that executes repeatedly, see [Every]. It uses the default pool.
func RegisterIntervalJob(newJob Job, interval time.Duration, opts ...JobOption) (string, error) {
	return DefaultPool().RegisterIntervalJob(newJob, interval, opts...)
}

// RegisterIntervalJobWithName registers a job that executes repeatedly, see [Every], with a name. It uses the default pool.
func RegisterIntervalJobWithName(newJob Job, interval time.Duration, name string, opts ...JobOption) (string, error) {
	return DefaultPool().RegisterIntervalJobWithName(newJob, interval, name, opts...)
}

// RegisterDetachedIntervalJob registers an interval job detached from the pool, see [Every] and [Detached]. It uses the default pool.
func RegisterDetachedIntervalJob(newJob Job, interval time.Duration) (string, error) {
	return DefaultPool().RegisterDetachedIntervalJob(newJob, interval)
}

// RegisterDetachedIntervalJobWithName registers an interval job detached from the pool, see [Every] and [Detached], with a name. It uses the default pool.
func RegisterDetachedIntervalJobWithName(newJob Job, interval time.Duration, name string) (string, error) {
	return DefaultPool().RegisterDetachedIntervalJobWithName(newJob, interval, name)
}

// RegisterScheduledJob registers a job that executes on a cron schedule, see [Cron]. It uses the default pool.
func RegisterScheduledJob(newJob Job, schedule string, opts ...JobOption) (string, error) {
	return DefaultPool().RegisterScheduledJob(newJob, schedule, opts...)
}

// RegisterScheduledJobWithName registers a job that executes on a cron schedule, see [Cron], with a name. It uses the default pool.
func RegisterScheduledJobWithName(newJob Job, schedule, name string, opts ...JobOption) (string, error) {
	return DefaultPool().RegisterScheduledJobWithName(newJob, schedule, name, opts...)
}

// RegisterChannelJob registers a job that executes until it is told to stop, see [Channel]. It uses the default pool.
func RegisterChannelJob(newJob Job, stopChan chan interface{}) (string, error) {
	return DefaultPool().RegisterChannelJob(newJob, stopChan)
}

// RegisterChannelJobWithName registers a job that executes until it is told to stop, see [Channel], with a name. It uses the default pool.
func RegisterChannelJobWithName(newJob Job, stopChan chan interface{}, name string) (string, error) {
	return DefaultPool().RegisterChannelJobWithName(newJob, stopChan, name)
}

// RegisterDetachedChannelJob registers a channel job detached from the pool, see [Channel] and [Detached]. It uses the default pool.
func RegisterDetachedChannelJob(newJob Job, stopChan chan interface{}) (string, error) {
	return DefaultPool().RegisterDetachedChannelJob(newJob, stopChan)
}

// RegisterDetachedChannelJobWithName registers a channel job detached from the pool, see [Channel] and [Detached], with a name. It uses the default pool.
func RegisterDetachedChannelJobWithName(newJob Job, stopChan chan interface{}, name string) (string, error) {
	return DefaultPool().RegisterDetachedChannelJobWithName(newJob, stopChan, name)
}

// UnregisterJob removes a job from the default pool, see [Pool.UnregisterJob].
func UnregisterJob(jobID string) { DefaultPool().UnregisterJob(jobID) }

// UpdateDurations sets the durations of the default pool, see [Pool.UpdateDurations].
func UpdateDurations(retryInterval time.Duration, executionTimeout time.Duration) {
	DefaultPool().UpdateDurations(retryInterval, executionTimeout)
}

// GetJob returns the job of the default pool with that id, or nil if there is none.
func GetJob(id string) JobExecution { return DefaultPool().GetJob(id) }

// GetJobStatus returns the status of the job of the default pool with that id as a word, or "" if there
// is none.
func GetJobStatus(id string) string { return DefaultPool().GetJobStatus(id) }

// GetStatus returns the status of the default pool as a word.
func GetStatus() string { return DefaultPool().GetStatus() }

// JobLock acquires the lock of a job of the default pool, see [Pool.JobLock].
func JobLock(id string) { DefaultPool().JobLock(id) }

// JobUnlock releases the lock of a job of the default pool, see [Pool.JobUnlock].
func JobUnlock(id string) { DefaultPool().JobUnlock(id) }
