module github.com/agentjobs/jobs/mutants

go 1.25
