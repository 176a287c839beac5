package inspect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/pidometer/pidometer/exporter/cmd/pidometer/internal/table"
	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/semconv"
)

// Service is everything about one service. What is unknown is left out.
type Service struct {
	Name         string            `json:"name"`
	DisplayName  string            `json:"display_name"`
	State        string            `json:"state"`
	PID          uint64            `json:"pid,omitempty"`           // none unless it runs
	CreationTime *time.Time        `json:"creation_time,omitempty"` // of the process
	Start        *string           `json:"start_type,omitempty"`
	CommandLine  *string           `json:"command_line,omitempty"`
	Owner        *string           `json:"owner,omitempty"`
	Description  *string           `json:"description,omitempty"` // empty if nobody has written one
	Missing      map[string]string `json:"missing,omitempty"`     // member: why it is not there
}

// Services are all services, by name.
type Services struct {
	Services []Service `json:"services"`
}

// GatherService reads one service.
func GatherService(ctx context.Context, b platform.Backend, name string) (*Service, error) {
	inspector, err := services(b)
	if err != nil {
		return nil, err
	}
	info, err := inspector.Service(ctx, name)
	if err != nil {
		return nil, err
	}
	s := serviceOf(b, &info)
	return &s, nil
}

// GatherServices reads them all.
func GatherServices(ctx context.Context, b platform.Backend) (*Services, error) {
	inspector, err := services(b)
	if err != nil {
		return nil, err
	}
	infos, err := inspector.Services(ctx)
	if err != nil {
		return nil, err
	}
	all := &Services{Services: make([]Service, 0, len(infos))}
	for i := range infos {
		all.Services = append(all.Services, serviceOf(b, &infos[i]))
	}
	return all, nil
}

func services(b platform.Backend) (platform.ServiceInspector, error) {
	inspector, ok := b.(platform.ServiceInspector)
	if !ok {
		return nil, fmt.Errorf("services are told on Windows only: %w", errors.ErrUnsupported)
	}
	return inspector, nil
}

func serviceOf(b platform.Backend, info *platform.ServiceInfo) Service {
	s := Service{
		Name: semconv.Spell(info.Name), DisplayName: semconv.Spell(info.DisplayName), State: info.State.String(), PID: info.Process.ID,
		CommandLine: spelled(info.BinaryPath), Owner: spelled(info.Owner), Description: spelled(info.Description),
	}
	if info.Process.Start != 0 {
		created := b.Boot().Created(info.Process.Start).UTC()
		s.CreationTime = &created
	}
	if info.Start != nil {
		word := info.Start.String()
		s.Start = &word
	}
	if info.Err == nil {
		return s
	}
	s.Missing = map[string]string{}
	for member, value := range map[string]*string{"command_line": s.CommandLine, "owner": s.Owner, "start_type": s.Start, "description": s.Description} {
		if value == nil {
			s.Missing[member] = reason(info.Err)
		}
	}
	return s
}

// Listing writes the document for people.
func (s *Service) Listing(w io.Writer) error {
	l := newListing()
	l.line("name", table.Printable(s.Name))
	l.line("display name", table.Printable(s.DisplayName))
	l.line("description", text(s.Description))
	l.line("state", s.State)
	if s.PID != 0 {
		l.line("pid", number(&s.PID))
	}
	if s.CreationTime != nil {
		l.line("started", minute(*s.CreationTime))
	}
	l.line("start type", text(s.Start))
	l.line("command", text(s.CommandLine))
	l.line("user", text(s.Owner))
	var missing []string
	for member, why := range s.Missing {
		missing = append(missing, member+": "+why)
	}
	slices.Sort(missing)
	l.line("missing", missing...)
	return l.write(w)
}

// Listing writes the document for people.
func (s *Services) Listing(w io.Writer) error {
	l := newListing()
	l.rows("services", []string{"NAME", "STATE", "PID", "START", "USER", "DISPLAY NAME"}, cells(&s.Services, func(s Service) []string {
		pid := "-"
		if s.PID != 0 {
			pid = number(&s.PID)
		}
		return []string{table.Printable(s.Name), s.State, pid, dash(text(s.Start)), dash(text(s.Owner)), table.Printable(s.DisplayName)}
	}))
	return l.write(w)
}
