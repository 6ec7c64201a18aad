module example.org/fencing

go 1.19
