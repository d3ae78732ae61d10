module github.com/agentjobs/jobs/perturb

go 1.25
